// The egress record of a run, and how two differ.
#include "source/learn/egress_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "source/base/strings.h"
#include "source/learn/path_prefixes.h"

namespace egret {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string Line(std::string_view target, std::string_view more) {
  return Cat(R"({"event":"end","target":")", target, R"(","policy":"run","rule":"all",)", more, "}\n");
}
std::string Tunnel(std::string_view target, uint64_t out, std::string_view decision = "allow") {
  return Line(target, Cat(R"("kind":"tunnel","decision":")", decision, '"',
                          decision == "deny" ? "" : R"(,"carries":"tls","upstream":"192.0.2.1:443")",
                          R"(,"received_bytes":)", out, R"(,"sent_bytes":100)"));
}
std::string Inside(std::string_view target, std::string_view method, std::string_view path,
                   std::string_view key = "ab") {
  return Line(target, Cat(R"("kind":"request","parent_id":"1","decision":"allow","upstream":"192.0.2.1:443",)",
                          R"("upstream_tls_version":"TLSv1.3","upstream_key_sha256":")", key, R"(","method":")", method,
                          R"(","path":")", path, R"(","received_bytes":7,"sent_bytes":7)"));
}

EgressRecord RecordOf(std::string_view log) {
  EgressRecord record;
  record.Add(log);
  return record;
}

TEST(EgressRecord, IsACanonicalStatement) {
  const EgressRecord record = RecordOf(Tunnel("b.example:443", 300) + Inside("b.example:443", "GET", "/repos/17/x") +
                                       Tunnel("a.example:443", 1, "deny"));
  EXPECT_EQ(
      record.Statement("npm", {{"npm", "00ff"}}),
      R"({"_type":"https://in-toto.io/Statement/v1","predicate":{"command":"npm","egress":[)"
      R"({"bytes_in":100,"bytes_out":1,"certificate_keys":[],"host":"a.example","outcome":"refused","port":443,)"
      R"("protocol":"","requests":[],"rules":["run/all"]},)"
      R"({"bytes_in":100,"bytes_out":300,"certificate_keys":["ab"],"host":"b.example","outcome":"reached","port":443,)"
      R"("protocol":"tls","requests":["GET /repos/{}/x"],"rules":["run/all"]}],"left_out":0},)"
      R"("predicateType":"urn:egret:egress-record:v1",)"
      R"("subject":[{"digest":{"sha256":"00ff"},"name":"npm"}]})"
      "\n");
}

TEST(EgressRecord, ReadsWhatItWrote) {
  const EgressRecord record = RecordOf(Tunnel("b.example:443", 300) + Inside("b.example:443", "GET", "/x"));
  const auto read = EgressRecord::Parse(record.Statement("npm", {}));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->Statement("npm", {}), record.Statement("npm", {}));
  EXPECT_THAT(Differences(record, *read), IsEmpty());
}

TEST(EgressRecord, WhatIsNoneIsSaidToBe) {
  EXPECT_THAT(EgressRecord::Parse("{").error().text, HasSubstr("JSON"));
  EXPECT_THAT(EgressRecord::Parse("{}").error().text, HasSubstr("predicateType"));
  EXPECT_THAT(EgressRecord::Parse(Cat(R"({"predicateType":")", kEgressRecordType, R"("})")).error().text,
              HasSubstr("predicate.egress"));
}

TEST(EgressRecord, WhatIsNewIsToldInWords) {
  const EgressRecord before = RecordOf(Tunnel("a.example:443", 300) + Inside("a.example:443", "GET", "/x"));
  const EgressRecord after = RecordOf(Tunnel("a.example:443", 3'000'000) + Inside("a.example:443", "GET", "/x") +
                                      Inside("a.example:443", "PUT", "/y", "cd") + Tunnel("x.workers.dev:443", 14336) +
                                      Inside("x.workers.dev:443", "POST", "/u") +
                                      Tunnel("evil.example:443", 9, "deny") + Tunnel("db.example:5432", 10));
  EXPECT_THAT(Differences(before, after),
              ElementsAre("new: PUT to a.example by PUT /y", "new: certificate key of a.example: cd",
                          "more: 3 MiB out to a.example (before: 300 bytes)",
                          "new: a connection to db.example:5432, 10 bytes out",
                          "new: refused: a connection to evil.example, 9 bytes out",
                          "new: POST to x.workers.dev by POST /u, 14 KiB out"));
  EXPECT_THAT(Differences(after, before), testing::Contains("gone: POST to x.workers.dev by POST /u, 14 KiB out"));
}

TEST(EgressRecord, IsBounded) {
  std::string log;
  for (size_t i = 0; i <= EgressRecord::kMostRows; ++i) log += Tunnel(Cat("h", i, ".example:443"), 1);
  EXPECT_EQ(RecordOf(log).rows().size(), EgressRecord::kMostRows);
  EXPECT_EQ(RecordOf(log).left_out(), 1);
}

TEST(EgressRecord, WhatIsMadeUpDoesNotPushOutWhatWasReached) {
  std::string log;
  for (size_t i = 0; i <= EgressRecord::kMostRows; ++i) log += Tunnel(Cat("h", i, ".example:443"), 1, "deny");
  for (size_t i = 0; i <= EgressRecord::kMostInRow; ++i) log += Inside("a.example:443", "GET", Cat("/x", i, 'x'));
  log += Tunnel("b.example:443", 1);
  const EgressRecord record = RecordOf(log);
  EXPECT_TRUE(record.rows().contains({.host = "b.example", .port = 443, .protocol = "tls"}));
  const auto read = EgressRecord::Parse(record.Statement("x", {}));
  EXPECT_THAT(Differences(RecordOf(""), *read).front(), HasSubstr("incomplete: 2502 times"));
}

TEST(PathTemplate, PutsBracesWhereOneOfManyStands) {
  EXPECT_EQ(PathTemplateOf("/repos/acme/17/x"), "/repos/acme/{}/x");
  EXPECT_EQ(PathTemplateOf("/simple/pip/"), "/simple/pip/");
  EXPECT_EQ(PathTemplateOf("/"), "/");
  EXPECT_EQ(PathTemplateOf("*"), "*");
  EXPECT_EQ(PathTemplateOf("/blob/3f2b9c01d4e75a66"), "/blob/{}");
}

}  // namespace
}  // namespace egret
