// Lists of names under names that say their content.
#pragma once

#include <google/protobuf/message.h>

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "egret/config/v1/policy.pb.h"
#include "source/xds/choose.h"

namespace egret {

// More names than this in one list are published in parts.
inline constexpr int kMostNamesInOne = 50'000;

class DomainLists {
 public:
  // All lists, without circles; what they include is among them, or is left as it is.
  explicit DomainLists(const Bodies& bodies);

  // As they are to be published: each under its new name, long ones followed by their parts.
  const std::vector<config::v1::DomainSet>& published() const { return published_; }
  // Puts the new names in the place of the old ones, wherever the resource refers to lists.
  void Rename(google::protobuf::Message& resource) const;

 private:
  const std::string& NameFor(const std::string& name, const Bodies& bodies);
  void Split(config::v1::DomainSet& set);
  std::string Add(config::v1::DomainSet set);

  std::map<std::string, std::string> names_;  // old to new
  std::vector<config::v1::DomainSet> published_;
};

}  // namespace egret
