#include "source/ctl/config.h"

#include <vector>

#include "source/base/strings.h"
#include "source/config/json_parser.h"
#include "source/ctl/json_node.h"
#include "source/ctl/table.h"

namespace egret {
namespace {

using Rows = std::vector<std::vector<std::string>>;

constexpr size_t kVersionShown = 20;

void AddErrors(const Node& errors, std::string_view of, std::string& out) {
  for (const Node& error : errors.children) Append(out, OneLine(Cat(of, error.text)), "\n");
}

std::string Version(const Node& resource, std::string_view which) {
  return OneLine(TextOf(resource, which).substr(0, kVersionShown));
}

void AddRow(const Node& resource, Rows& rows, std::string& problems) {
  const std::string type = TextOf(resource, "type"), name = TextOf(resource, "name");
  rows.push_back({OneLine(type), OneLine(name), OneLine(TextOf(resource, "state")),
                  Version(resource, "version_in_force"), Version(resource, "version_received")});
  AddErrors(MemberOf(resource, "errors"), Cat(type, " ", name, ": "), problems);
}

std::string Shown(const Node& told) {
  Rows about = {{"version", OneLine(TextOf(told, "version"))}, {"state", OneLine(TextOf(told, "state"))}};
  for (const std::string_view name : {"node_id", "node_cluster", "file", "source", "server", "connected"})
    if (const std::string text = TextOf(told, name); !text.empty()) about.push_back({std::string(name), OneLine(text)});
  std::string problems;
  if (const std::string text = TextOf(told, "last_error"); !text.empty() && TextOf(told, "connected") != "true")
    Append(problems, OneLine(text), "\n");
  for (const std::string_view errors : {"errors", "directory_errors", "file_errors"})
    AddErrors(MemberOf(told, errors), "", problems);
  Rows rows = {{"TYPE", "NAME", "STATE", "IN FORCE", "RECEIVED"}};
  for (const Node& resource : MemberOf(told, "resources").children) AddRow(resource, rows, problems);
  return Cat(Table(about), "\n", Table(rows), problems.empty() ? "" : "\n", problems);
}

}  // namespace

int RunConfig(std::span<const std::string> arguments, Output& output) {
  const auto given = ParseArguments(kConfigFlags, arguments);
  if (!given) return Misuse("config", given.error().text, output);
  if (!given->words().empty()) return Misuse("config", Cat(given->words().front(), ": one word too many"), output);
  const bool dump = given->Has("--dump");
  const auto answer = AskAdmin(given->Get("--admin", kDefaultAdmin), "GET", dump ? "/config_dump" : "/config_status");
  const auto unreadable = [&](std::string_view why) {
    Append(output.err, "egretctl config: ", why, "\n");
    return kNotReached;
  };
  if (!answer) return unreadable(answer.error().text);
  if (dump) {
    output.out += *answer;
    return kDone;
  }
  const Tree tree = ParseJson(*answer, "");
  if (!tree.root || !tree.root->map()) return unreadable("the answer is not what a proxy of this release says");
  output.out += given->Get("--output") == "json" ? *answer : Shown(*tree.root);
  return TextOf(*tree.root, "all_in_force") == "true" ? kDone : kRefused;
}

}  // namespace egret
