#include "source/ctl/diff.h"

#include <sys/stat.h>

#include <optional>
#include <vector>

#include "source/base/json.h"
#include "source/base/result.h"
#include "source/base/strings.h"
#include "source/config/bootstrap_file.h"
#include "source/config/error.h"
#include "source/config/file.h"
#include "source/ctl/changes.h"
#include "source/ctl/decision_diff.h"
#include "source/ctl/resource_diff.h"
#include "source/ctl/table.h"
#include "source/xds/compose.h"
#include "source/xds/directory.h"

namespace egret {
namespace {

constexpr size_t kMostLog = size_t{1} << 30;

BootstrapFile Read(const std::string& path) {
  struct stat status{};
  if (stat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) return ReadBootstrap(path);
  BootstrapFile file;
  DirectorySet set = ReadDirectory(path, {});
  file.bootstrap = *Compose({}, set.bodies);
  file.errors = std::move(set.errors);
  return file;
}

std::string_view NameOf(ResourceDifference::Kind kind) {
  switch (kind) {
    case ResourceDifference::Kind::kAdded:
      return "added";
    case ResourceDifference::Kind::kRemoved:
      return "removed";
    case ResourceDifference::Kind::kChanged:
      break;
  }
  return "changed";
}

std::string Shown(const std::vector<ResourceDifference>& resources, const std::optional<DecisionDiff>& decisions) {
  std::string out;
  for (const ResourceDifference& one : resources) {
    Append(out, NameOf(one.kind), " ", one.type, one.name.empty() ? "" : " ", one.name.empty() ? "" : OneLine(one.name),
           "\n");
    for (const std::string& where : one.where) Append(out, "  ", OneLine(where), "\n");
  }
  if (!decisions) return out;
  if (!out.empty()) out += '\n';
  if (!decisions->table.rows().empty()) Append(out, ChangesTable(decisions->table.rows()), "\n");
  uint64_t changed = decisions->table.overflow();
  for (const auto& [change, count] : decisions->table.rows()) changed += count.count;
  Append(out, changed, " of ", decisions->judged, " decisions would change");
  if (decisions->left_out > 0) Append(out, "; ", decisions->left_out, " lines tell of none");
  return out + '\n';
}

void Write(const ResourceDifference& one, JsonWriter& out) {
  out.BeginObject();
  out.Member("change", NameOf(one.kind));
  out.Member("type", one.type);
  out.MemberIf("name", one.name);
  out.Key("where");
  out.BeginArray();
  for (const std::string& where : one.where) out.String(where);
  out.EndArray();
  out.EndObject();
}

void Write(const DecisionDiff& decisions, JsonWriter& out) {
  out.Key("decisions");
  out.BeginArray();
  for (const auto& [change, count] : decisions.table.rows()) {
    out.BeginObject();
    WriteChange(change, count, out);
    out.EndObject();
  }
  out.EndArray();
  out.Member("judged", decisions.judged);
  out.Member("left_out", decisions.left_out);
  out.Member("overflow", decisions.table.overflow());
}

std::string Json(const std::vector<ResourceDifference>& resources, const std::optional<DecisionDiff>& decisions) {
  std::string json;
  JsonWriter out(json);
  out.BeginObject();
  out.Key("resources");
  out.BeginArray();
  for (const ResourceDifference& one : resources) Write(one, out);
  out.EndArray();
  if (decisions) Write(*decisions, out);
  out.EndObject();
  return json + '\n';
}

int Refuse(const std::vector<ConfigError>& errors, Output& output) {
  output.err += ToString(errors);
  return kRefused;
}

}  // namespace

int RunDiff(std::span<const std::string> arguments, Output& output) {
  const auto given = ParseArguments(kDiffFlags, arguments);
  if (!given) return Misuse("diff", given.error().text, output);
  if (given->words().size() != 2) return Misuse("diff", "between which two? give OLD and NEW", output);
  const BootstrapFile before = Read(given->words()[0]), after = Read(given->words()[1]);
  if (!before.ok()) return Refuse(before.errors, output);
  if (!after.ok()) return Refuse(after.errors, output);
  const std::vector<ResourceDifference> resources = DiffResources(before.bootstrap, after.bootstrap);
  std::optional<DecisionDiff> decisions;
  if (given->Has("--log")) {
    const std::string path = given->Get("--log");
    const auto log = ReadWholeFile(path == "-" ? "/dev/stdin" : path, kMostLog, FileKind::kAny);
    if (!log) return Refuse({{.file = path, .why = log.error().why, .remedy = log.error().remedy}}, output);
    auto judged = DiffDecisions(before.bootstrap, after.bootstrap, *log);
    if (!judged) return Refuse(judged.error(), output);
    decisions = std::move(*judged);
  }
  output.out += given->Get("--output") == "json" ? Json(resources, decisions) : Shown(resources, decisions);
  const bool changes = decisions && (!decisions->table.rows().empty() || decisions->table.overflow() > 0);
  return resources.empty() && !changes ? kDone : kWouldChange;
}

}  // namespace egret
