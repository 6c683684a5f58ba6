#include "source/ctl/fleet_table.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <vector>

#include "source/base/strings.h"
#include "source/ctl/table.h"

namespace egret {
namespace {

using control::v1::GroupStatus;
using control::v1::ProxyStatus;
using control::v1::Rejection;
using control::v1::StatusResponse;
using Row = std::vector<std::string>;

constexpr size_t kVersionShown = 12;

std::string Short(std::string_view version) { return OneLine(version.substr(0, kVersionShown)); }

// How long something has been so.
std::string Age(const google::protobuf::Timestamp& since, int64_t now) {
  return since.seconds() == 0 ? "-" : ShownSeconds(std::max<int64_t>(now - since.seconds(), 0));
}

std::map<std::string, std::string> VersionsOf(const StatusResponse& status) {
  std::map<std::string, std::string> versions;
  for (const GroupStatus& group : status.groups()) versions[group.name()] = group.version();
  return versions;
}

std::string_view StateOf(const ProxyStatus& proxy, const std::map<std::string, std::string>& versions) {
  if (!proxy.connected()) return "gone";
  if (!proxy.rejections().empty()) return "refuses";
  if (!proxy.waiting().empty()) return "waits";
  if (!proxy.offered().empty()) return proxy.offered() == proxy.version() ? "in force" : "behind";
  const auto version = versions.find(proxy.group());
  return version != versions.end() && version->second == proxy.version() ? "in force" : "behind";
}

std::string FilesOf(const GroupStatus& group) {
  std::string files = "served";
  if (!group.problems().empty())
    files = Cat(group.problems_size(), group.problems_size() == 1 ? " problem" : " problems",
                group.version().empty() ? ", nothing served" : ", last good served");
  if (group.has_rollout())
    Append(files, ", next ", group.rollout().has_halt() ? "halted at " : "at ", group.rollout().percent(), "%");
  return files;
}

// Where its configuration came from, and how long ago.
std::string SourceOf(const ProxyStatus& proxy, int64_t now) {
  if (!proxy.has_config()) return "-";
  return Cat(ToLower(control::v1::ConfigStatus::Source_Name(proxy.config().source())), " ",
             Age(proxy.config().since(), now));
}

std::string LineOf(const ProxyStatus& proxy, const Rejection& rejection) {
  const std::string& url = rejection.type_url();
  std::string line = Cat(proxy.id(), " of ", proxy.group(), " refuses ");
  if (url.empty())
    line += "the whole";
  else
    Append(line, url.substr(url.rfind('.') + 1), " ", rejection.name());
  if (!rejection.field().empty()) Append(line, " ", rejection.field());
  if (!rejection.value().empty()) Append(line, ": ", rejection.value());
  Append(line, ": ", rejection.reason());
  if (!rejection.remedy().empty()) Append(line, "; ", rejection.remedy());
  return OneLine(line);
}

std::string LineOf(const ProxyStatus& proxy, const control::v1::ResourceStatus& waiting) {
  const std::string& url = waiting.type_url();
  std::string line = Cat(proxy.id(), " of ", proxy.group(),
                         waiting.state() == control::v1::ResourceStatus::MISSING ? " has no " : " waits with ",
                         url.substr(url.rfind('.') + 1), " ", waiting.name());
  if (!waiting.errors().empty()) Append(line, ": ", waiting.errors(0).reason());
  return OneLine(line);
}

}  // namespace

bool AllInForce(const StatusResponse& status) {
  const auto versions = VersionsOf(status);
  return std::all_of(status.groups().begin(), status.groups().end(),
                     [](const GroupStatus& group) {
                       return group.problems().empty() && group.rollout().problems().empty() &&
                              !group.rollout().has_halt();
                     }) &&
         std::all_of(status.proxies().begin(), status.proxies().end(), [&](const ProxyStatus& proxy) {
           return !proxy.connected() || StateOf(proxy, versions) == "in force";
         });
}

std::string FleetTable(const StatusResponse& status, int64_t now_unix) {
  const auto versions = VersionsOf(status);
  std::vector<Row> groups = {{"GROUP", "VERSION", "AGE", "FILES"}};
  std::vector<Row> proxies = {{"PROXY", "GROUP", "STATE", "VERSION", "AGE", "CONFIG", "CONNECTED", "RELEASE"}};
  std::string problems;
  for (const GroupStatus& group : status.groups()) {
    groups.push_back({OneLine(group.name()), Short(group.version()), Age(group.since(), now_unix), FilesOf(group)});
    for (const std::string& problem : group.problems()) Append(problems, OneLine(problem), "\n");
    for (const std::string& problem : group.rollout().problems()) Append(problems, OneLine(problem), "\n");
  }
  for (const ProxyStatus& proxy : status.proxies()) {
    proxies.push_back({OneLine(proxy.id()), OneLine(proxy.group()), std::string(StateOf(proxy, versions)),
                       Short(proxy.version()), Age(proxy.version_since(), now_unix), SourceOf(proxy, now_unix),
                       proxy.connected() ? Age(proxy.since(), now_unix) : "-", OneLine(proxy.release())});
    for (const Rejection& rejection : proxy.rejections()) Append(problems, LineOf(proxy, rejection), "\n");
    for (const auto& waiting : proxy.waiting()) Append(problems, LineOf(proxy, waiting), "\n");
  }
  return Cat(Table(groups), "\n", Table(proxies), problems.empty() ? "" : "\n", problems);
}

}  // namespace egret
