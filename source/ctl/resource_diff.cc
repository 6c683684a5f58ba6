#include "source/ctl/resource_diff.h"

#include <google/protobuf/util/message_differencer.h>

#include <cstddef>
#include <map>
#include <memory>
#include <string_view>
#include <utility>

#include "source/base/strings.h"
#include "source/config/redact.h"
#include "source/xds/resource.h"

namespace egret {
namespace {

using config::v1::Bootstrap;
using google::protobuf::Message;
using google::protobuf::util::MessageDifferencer;

constexpr size_t kMostCompared = size_t{1} << 20;  // bytes of a resource; above it is only said that it changed

using Messages = std::map<std::pair<std::string, std::string>, std::unique_ptr<Message>>;

Messages ResourcesOf(const Bootstrap& bootstrap) {
  Messages all;
  const auto& reflection = *bootstrap.GetReflection();
  Bootstrap rest = bootstrap;
  for (const ResourceType type : kResourceTypes) {
    const auto& list = *Bootstrap::descriptor()->FindFieldByName(std::string(ListOf(type)));
    for (int i = 0; i < reflection.FieldSize(bootstrap, &list); ++i) {
      const Message& one = reflection.GetRepeatedMessage(bootstrap, &list, i);
      std::unique_ptr<Message> copy(one.New());
      copy->CopyFrom(one);
      all[{std::string(NameOf(type)), OwnName(one)}] = std::move(copy);
    }
    reflection.ClearField(&rest, &list);
  }
  all[{"Bootstrap", ""}] = std::make_unique<Bootstrap>(std::move(rest));
  return all;
}

// One difference on a line, as protobuf tells them.
std::vector<std::string> WhereOf(const Message& before, const Message& after) {
  std::vector<std::string> where;
  if (before.ByteSizeLong() > kMostCompared || after.ByteSizeLong() > kMostCompared) return where;
  std::string text;
  MessageDifferencer differencer;
  differencer.ReportDifferencesToString(&text);
  differencer.Compare(before, after);
  for (std::string_view rest = text; !rest.empty();) where.emplace_back(SplitFirst(rest, '\n'));
  return where;
}

}  // namespace

std::vector<ResourceDifference> DiffResources(const Bootstrap& before, const Bootstrap& after) {
  using Kind = ResourceDifference::Kind;
  const Messages old = ResourcesOf(before), now = ResourcesOf(after);
  // What secrets hold is compared, and not told.
  const Messages old_told = ResourcesOf(Redacted(before)), now_told = ResourcesOf(Redacted(after));
  std::vector<ResourceDifference> out;
  for (const auto& [key, message] : old)
    if (!now.contains(key)) out.push_back({Kind::kRemoved, key.first, key.second, {}});
  for (const auto& [key, message] : now) {
    const auto earlier = old.find(key);
    if (earlier == old.end()) {
      out.push_back({Kind::kAdded, key.first, key.second, {}});
    } else if (!MessageDifferencer::Equals(*earlier->second, *message)) {
      out.push_back({Kind::kChanged, key.first, key.second, WhereOf(*old_told.at(key), *now_told.at(key))});
    }
  }
  return out;
}

}  // namespace egret
