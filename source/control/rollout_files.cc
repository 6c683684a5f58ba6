#include "source/control/rollout_files.h"

#include <sys/random.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>

#include "source/base/check.h"
#include "source/base/strings.h"
#include "source/config/canonical.h"
#include "source/config/file.h"
#include "source/config/load.h"
#include "source/config/replace_file.h"

namespace egret {
namespace {

using control::v1::RolloutHalt;
using control::v1::RolloutStep;

constexpr size_t kMostFileBytes = size_t{64} << 10;
constexpr std::string_view kStep = ".step", kHalt = ".halt";

std::string NameBeside() {
  uint64_t random = 0;
  CHECK(getrandom(&random, sizeof random, 0) == sizeof random);
  return Cat(".new-", random);
}

}  // namespace

RolloutFiles::RolloutFiles(std::string folder) : folder_(std::move(folder)), beside_(NameBeside()) {}

std::string RolloutFiles::PathOf(const std::string& group, std::string_view kind) const {
  return Cat(folder_, "/", group, kind);
}

template <class Message>
RolloutFiles::Found<Message> RolloutFiles::Read(const std::string& group, std::string_view kind,
                                                const std::string& release) const {
  const std::string path = PathOf(group, kind);
  if (folder_.empty() || (access(path.c_str(), F_OK) != 0 && errno == ENOENT)) return std::optional<Message>();
  const auto text = ReadWholeFile(path, kMostFileBytes);
  if (!text) return Problem{Cat(path, ": ", text.error().why)};
  Message message;
  const LoadResult loaded = Load(*text, path, Format::kJson, message);
  if (!loaded.ok()) return Problem{ToString(loaded.errors)};
  return message.release() == release ? std::optional(std::move(message)) : std::nullopt;
}

RolloutFiles::Found<RolloutStep> RolloutFiles::Step(const std::string& group, const std::string& release) const {
  return Read<RolloutStep>(group, kStep, release);
}

RolloutFiles::Found<RolloutHalt> RolloutFiles::Halt(const std::string& group, const std::string& release) const {
  return Read<RolloutHalt>(group, kHalt, release);
}

std::optional<Problem> RolloutFiles::Replace(const std::string& path, const google::protobuf::Message& message) const {
  if (folder_.empty()) return Problem{"this control plane runs without --rollouts; give it a folder to write to"};
  return ReplaceFile(path, ToCanonicalJson(message), beside_);
}

std::optional<Problem> RolloutFiles::Write(const std::string& group, const RolloutStep& step) const {
  return Replace(PathOf(group, kStep), step);
}

std::optional<Problem> RolloutFiles::Write(const std::string& group, const RolloutHalt& halt) const {
  return Replace(PathOf(group, kHalt), halt);
}

std::optional<Problem> RolloutFiles::EndHalt(const std::string& group) const {
  const std::string path = PathOf(group, kHalt);
  if (folder_.empty() || unlink(path.c_str()) == 0 || errno == ENOENT) return std::nullopt;
  return Problem{Cat(path, ": cannot be removed: ", std::strerror(errno))};
}

}  // namespace egret
