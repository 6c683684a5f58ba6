// How far releases have come, on disk: replicas that share the folder agree, and a restart changes nothing.
//
//   DIR/GROUP.step    the percentage that an operator gave a release
//   DIR/GROUP.halt    that it goes no further; beside the other, so that neither is lost to the other's writing
//
// Each says of which release it is, and counts for no other. All of it blocks.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "egret/control/v1/control.pb.h"
#include "source/base/result.h"

namespace egret {

class RolloutFiles {
 public:
  template <class Message>
  using Found = Result<std::optional<Message>, Problem>;

  // Empty: there is no such folder; nothing is in it, and nothing can be written.
  explicit RolloutFiles(std::string folder);

  // Nothing: there is none of this release.
  Found<control::v1::RolloutStep> Step(const std::string& group, const std::string& release) const;
  Found<control::v1::RolloutHalt> Halt(const std::string& group, const std::string& release) const;

  // Nothing: it is done, and stays so.
  std::optional<Problem> Write(const std::string& group, const control::v1::RolloutStep& step) const;
  std::optional<Problem> Write(const std::string& group, const control::v1::RolloutHalt& halt) const;
  std::optional<Problem> EndHalt(const std::string& group) const;

 private:
  std::string PathOf(const std::string& group, std::string_view kind) const;
  template <class Message>
  Found<Message> Read(const std::string& group, std::string_view kind, const std::string& release) const;
  std::optional<Problem> Replace(const std::string& path, const google::protobuf::Message& message) const;

  const std::string folder_;
  const std::string beside_;  // of this replica alone, while it writes
};

}  // namespace egret
