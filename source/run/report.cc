#include "source/run/report.h"

#include <algorithm>
#include <array>
#include <utility>

#include "source/base/ip.h"
#include "source/base/json.h"
#include "source/base/strings.h"

namespace egret {
namespace {

std::string BytesText(uint64_t bytes) {
  constexpr std::array<std::string_view, 5> kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  size_t unit = 0;
  for (; bytes >= 10240 && unit + 1 < kUnits.size(); ++unit) bytes >>= 10;
  return Cat(bytes, " ", kUnits[unit]);
}

// What was not understood may hold anything: neither a terminal nor a page in Markdown shall take it for more than
// text.
std::string Plain(std::string text) {
  for (char& c : text)
    if (c < ' ' || c > '~' || std::string_view("`|<>[]\\").find(c) != std::string_view::npos) c = '?';
  return text;
}

// Brackets are an IPv6 address's.
std::string TargetText(const RunSummary::Key& key) {
  if (key.target.empty()) return "(no destination)";
  return Endpoint::Parse(key.target) ? key.target : Plain(key.target);
}

// Why it ended so: the rule, or what stood in its place.
std::string ReasonText(const RunSummary::Key& key) {
  if (key.rule == "otherwise") return "no rule allows it";
  std::string out = key.rule.empty() ? "" : Cat("rule ", key.rule);
  if (!key.detail.empty() && key.detail != "policy_denied") Append(out, out.empty() ? "" : ": ", key.detail);
  return Plain(std::move(out));
}

std::string Padded(std::string_view text, size_t width) {
  std::string out(text);
  out.resize(std::max(width, out.size()), ' ');
  return out;
}

void AppendRow(JsonWriter& json, const RunSummary::Key& key, const RunSummary::Counts& counts) {
  json.BeginObject();
  json.Member("outcome", NameOf(key.outcome));
  json.Member("target", key.target);
  json.MemberIf("rule", key.rule);
  json.MemberIf("detail", key.detail);
  json.Member("times", counts.times);
  json.Member("out_bytes", counts.out);
  json.Member("in_bytes", counts.in);
  json.EndObject();
}

}  // namespace

std::vector<std::string> LinesOf(const RunSummary& summary, bool all) {
  size_t width = 0;
  for (const auto& [key, counts] : summary.rows()) width = std::max(width, TargetText(key).size());
  std::vector<std::string> lines;
  for (const auto& [key, counts] : summary.rows()) {
    if (key.outcome == Outcome::kReached && !all) continue;
    lines.push_back(Cat(Padded(NameOf(key.outcome), 7), "  ", Padded(TargetText(key), width), "  ", counts.times,
                        counts.times == 1 ? " time, " : " times, ", BytesText(counts.out), " out, ",
                        BytesText(counts.in), " in; ", ReasonText(key)));
  }
  if (summary.left_out() > 0) lines.push_back(Cat("and ", summary.left_out(), " times elsewhere"));
  return lines;
}

std::string JsonOf(const RunSummary& summary, const RunFacts& facts) {
  std::string out;
  JsonWriter json(out);
  json.BeginObject();
  json.Member("program", facts.program);
  json.Member("status", facts.status);
  json.Member("fenced", facts.fenced);
  json.Member("duration_ms", facts.duration_ms);
  for (const Outcome outcome : {Outcome::kReached, Outcome::kRefused, Outcome::kFailed})
    json.Member(NameOf(outcome), summary.Times(outcome));
  json.Member("left_out", summary.left_out());
  json.Key("destinations");
  json.BeginArray();
  for (const auto& [key, counts] : summary.rows()) AppendRow(json, key, counts);
  json.EndArray();
  json.EndObject();
  return out + '\n';
}

std::string MarkdownOf(const RunSummary& summary, const RunFacts& facts) {
  std::string out = Cat("### What the command reached\n\n", summary.Times(Outcome::kReached), " reached, ",
                        summary.Times(Outcome::kRefused), " refused, ", summary.Times(Outcome::kFailed), " failed.");
  if (!facts.fenced) out += " **There was no fence**: what goes past the proxy is not in this table.";
  out += "\n\n| | destination | times | out | in | why |\n|---|---|---:|---:|---:|---|\n";
  for (const auto& [key, counts] : summary.rows())
    Append(out, "| ", NameOf(key.outcome), " | `", TargetText(key), "` | ", counts.times, " | ", BytesText(counts.out),
           " | ", BytesText(counts.in), " | ", ReasonText(key), " |\n");
  if (summary.left_out() > 0) Append(out, "\nAnd ", summary.left_out(), " times elsewhere.\n");
  return out + '\n';
}

}  // namespace egret
