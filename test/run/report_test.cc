// From the access log to what is told at the end of a run.
#include "source/run/report.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "source/base/json_value.h"
#include "source/base/strings.h"
#include "source/run/summary.h"

namespace egret {
namespace {

constexpr char kReached[] =
    R"({"event":"end","kind":"tunnel","target":"a.test:443","decision":"allow","rule":"allow-a-test",)"
    R"("upstream":"192.0.2.1:443","received_bytes":100,"sent_bytes":20480})"
    "\n";
constexpr char kInside[] =
    R"({"event":"end","kind":"request","parent_id":"1","target":"a.test:443","decision":"allow","rule":"allow-a-test",)"
    R"("upstream":"192.0.2.1:443","received_bytes":50,"sent_bytes":60})"
    "\n";
constexpr char kRefused[] =
    R"({"event":"end","kind":"request","target":"b.test:80","decision":"deny","rule":"otherwise","detail":"policy_denied",)"
    R"("received_bytes":1,"sent_bytes":2})"
    "\n";
constexpr char kGuarded[] =
    R"({"event":"end","target":"c.test:80","decision":"deny","rule":"address_guard","detail":"address_prohibited"})"
    "\n";
constexpr char kFailed[] =
    R"({"event":"end","target":"d.test:80","decision":"allow","rule":"allow-d-test","detail":"dns_not_found"})"
    "\n";
constexpr char kOpened[] = R"({"event":"open","target":"a.test:443","decision":"allow"})"
                           "\n";

RunSummary Of(const std::string& lines) {
  RunSummary summary;
  summary.Add(lines);
  return summary;
}

TEST(RunSummary, ATunnelThatWasDecryptedHasReachedSomebody) {
  RunSummary summary;
  summary.Add(R"({"event":"end","kind":"tunnel","target":"a.test:443","decision":"inspect","inspected":"lazy"})");
  EXPECT_EQ(summary.Times(Outcome::kReached), 1u);
  EXPECT_EQ(summary.Times(Outcome::kFailed), 0u);
}

TEST(RunSummary, AddsUpByDestinationAndReason) {
  const RunSummary summary = Of(Cat(kReached, kOpened, kInside, kReached, kRefused, kRefused, kRefused));
  EXPECT_EQ(summary.Times(Outcome::kReached), 2u);
  EXPECT_EQ(summary.Times(Outcome::kRefused), 3u);
  EXPECT_EQ(summary.Times(Outcome::kFailed), 0u);
  ASSERT_EQ(summary.rows().size(), 2u);
  const auto& [key, counts] = *summary.rows().rbegin();
  EXPECT_EQ(key.target, "a.test:443");
  EXPECT_EQ(key.rule, "allow-a-test");
  EXPECT_EQ(counts.out, 200u);
  EXPECT_EQ(counts.in, 40960u);
}

TEST(RunSummary, IsBounded) {
  RunSummary summary;
  for (size_t i = 0; i < RunSummary::kMostRows + 5; ++i)
    summary.Add(Cat(R"({"event":"end","target":"h)", i, R"(.test:80","decision":"deny"})", "\n"));
  EXPECT_EQ(summary.rows().size(), RunSummary::kMostRows);
  EXPECT_EQ(summary.left_out(), 5u);
  EXPECT_EQ(LinesOf(summary, false).back(), "and 5 times elsewhere");
}

TEST(RunSummary, PassesOverWhatIsNoLine) { EXPECT_TRUE(Of("{\n\nno json\n[]\n").rows().empty()); }

TEST(Report, TellsPeopleWhatWasRefusedAndOnDemandTheRest) {
  const RunSummary summary = Of(Cat(kReached, kRefused, kRefused, kGuarded, kFailed));
  const std::vector<std::string> lines = LinesOf(summary, true);
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[0], "refused  b.test:80   2 times, 2 B out, 4 B in; no rule allows it");
  EXPECT_EQ(lines[1], "refused  c.test:80   1 time, 0 B out, 0 B in; rule address_guard: address_prohibited");
  EXPECT_EQ(lines[2], "failed   d.test:80   1 time, 0 B out, 0 B in; rule allow-d-test: dns_not_found");
  EXPECT_EQ(lines[3], "reached  a.test:443  1 time, 100 B out, 20 KiB in; rule allow-a-test");
  EXPECT_EQ(LinesOf(summary, false).size(), 3u);
}

TEST(Report, IsJsonForPrograms) {
  const auto json =
      JsonValue::Parse(JsonOf(Of(Cat(kReached, kRefused)), {.program = "npm", .status = 3, .duration_ms = 5}));
  ASSERT_TRUE(json);
  EXPECT_EQ(json->TextOf("program"), "npm");
  EXPECT_EQ(json->Find("reached")->text, "1");
  ASSERT_EQ(json->Find("destinations")->items.size(), 2u);
  EXPECT_EQ(json->Find("destinations")->items.front().TextOf("outcome"), "refused");
}

TEST(Report, IsATableForACi) {
  const std::string text = MarkdownOf(Of(Cat(kReached, kRefused)), {.program = "npm", .fenced = false});
  EXPECT_NE(text.find("1 reached, 1 refused, 0 failed."), std::string::npos);
  EXPECT_NE(text.find("| refused | `b.test:80` | 1 | 1 B | 2 B | no rule allows it |"), std::string::npos);
  EXPECT_NE(text.find("There was no fence"), std::string::npos);
}

}  // namespace
}  // namespace egret
