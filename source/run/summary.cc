#include "source/run/summary.h"

#include <optional>

#include "source/base/strings.h"

namespace egret {
namespace {

using Outcome = RunSummary::Outcome;

std::string TextOf(const JsonValue& line, std::string_view member) {
  return std::string(line.TextOf(member).value_or(std::string_view()));
}

uint64_t NumberOf(const JsonValue& line, std::string_view member) {
  const JsonValue* const number = line.Find(member);
  return number == nullptr ? 0 : ParseDecimal<uint64_t>(number->text).value_or(0);
}

Outcome OutcomeOf(const JsonValue& line) {
  if (line.TextOf("decision") == "deny") return Outcome::kRefused;
  return line.Find("upstream") == nullptr ? Outcome::kFailed : Outcome::kReached;
}

}  // namespace

std::string_view NameOf(RunSummary::Outcome outcome) {
  switch (outcome) {
    case Outcome::kRefused:
      return "refused";
    case Outcome::kFailed:
      return "failed";
    case Outcome::kReached:
      return "reached";
  }
  return "";
}

void RunSummary::Add(std::string_view lines) {
  while (!lines.empty())
    if (const std::optional<JsonValue> line = JsonValue::Parse(SplitFirst(lines, '\n'))) AddLine(*line);
}

void RunSummary::AddLine(const JsonValue& line) {
  if (line.TextOf("event") != "end") return;
  Key key{.outcome = OutcomeOf(line), .target = TextOf(line, "target"), .rule = TextOf(line, "rule"), .detail = {}};
  // What came through a tunnel is told with the tunnel, unless it was refused in there.
  if (key.outcome == Outcome::kReached && line.Find("parent_id") != nullptr) return;
  if (key.outcome != Outcome::kReached) key.detail = TextOf(line, "detail");
  ++times_[key.outcome];
  if (rows_.size() >= kMostRows && !rows_.contains(key)) {
    ++left_out_;
    return;
  }
  Counts& counts = rows_[std::move(key)];
  ++counts.times;
  counts.out += NumberOf(line, "received_bytes");
  counts.in += NumberOf(line, "sent_bytes");
}

uint64_t RunSummary::Times(Outcome outcome) const {
  const auto times = times_.find(outcome);
  return times == times_.end() ? 0 : times->second;
}

}  // namespace egret
