// The corpus through both codecs: its verdicts, whole and however it is cut; what is accepted, written again and read
// again stays the same.
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "source/base/strings.h"
#include "test/http/http1_corpus.h"
#include "test/http/http1_verdict.h"

namespace egret {
namespace {

std::string Describe(const CorpusEntry& entry) { return Cat(entry.row, " ", entry.bytes.substr(0, 300)); }

using Judge = Verdict (*)(Loop&, std::span<const std::string_view>);

Verdict Whole(Loop& loop, Judge judge, std::string_view bytes) {
  const std::array<std::string_view, 1> one = {bytes};
  return judge(loop, one);
}

void ExpectVerdicts(const std::vector<CorpusEntry>& corpus, Judge judge) {
  Loop loop;
  for (const CorpusEntry& entry : corpus) {
    const Verdict verdict = Whole(loop, judge, entry.bytes);
    EXPECT_EQ(TextOf(verdict.fault).detail, TextOf(entry.verdict).detail) << Describe(entry);
  }
}

void ExpectSameHoweverCut(const std::vector<CorpusEntry>& corpus, Judge judge) {
  constexpr size_t kLong = 400;  // of a long one, only the cuts at its ends
  Loop loop;
  for (const CorpusEntry& entry : corpus) {
    const std::string_view bytes = entry.bytes;
    const Verdict whole = Whole(loop, judge, bytes);
    for (size_t cut = 1; cut < bytes.size(); ++cut) {
      if (cut > kLong && cut + kLong < bytes.size()) continue;
      const std::array<std::string_view, 2> two = {bytes.substr(0, cut), bytes.substr(cut)};
      Verdict parts = judge(loop, two);
      // What is read beyond a refused head or body, or a whole one, depends on the cut and on nothing else.
      parts.left = whole.left;
      ASSERT_EQ(parts, whole) << "cut at " << cut << ": " << Describe(entry);
    }
    std::vector<std::string_view> single;
    single.reserve(bytes.size());
    for (size_t i = 0; i < bytes.size(); ++i) single.push_back(bytes.substr(i, 1));
    Verdict parts = judge(loop, single);
    parts.left = whole.left;
    ASSERT_EQ(parts, whole) << "byte by byte: " << Describe(entry);
  }
}

TEST(Http1Parse, H01ToH14_EveryRequestGetsItsVerdict) { ExpectVerdicts(RequestCorpus(), JudgeRequest); }

TEST(Http1Parse, H15ToH17_EveryResponseGetsItsVerdict) { ExpectVerdicts(ResponseCorpus(), JudgeResponse); }

TEST(Http1Parse, H22_RequestsCutAtEveryByteGetTheSameVerdict) { ExpectSameHoweverCut(RequestCorpus(), JudgeRequest); }

TEST(Http1Parse, H22_ResponsesCutAtEveryByteGetTheSameVerdict) {
  ExpectSameHoweverCut(ResponseCorpus(), JudgeResponse);
}

TEST(Http1Parse, HeadsThatAreWrittenAgainReadTheSame) {
  Loop loop;
  for (const CorpusEntry& entry : RequestCorpus()) {
    const Verdict first = Whole(loop, JudgeRequest, entry.bytes);
    if (first.fault != Fault::kNone || !first.content.empty()) continue;
    const Verdict second = Whole(loop, JudgeRequest, first.head);
    EXPECT_EQ(second.fault, Fault::kNone) << first.head;
    EXPECT_EQ(second.head, first.head);
  }
}

TEST(Http1Parse, H18_HeadBytesFieldsAndTargetEndExactlyAtTheirLimits) {
  Loop loop;
  const auto padded = [](size_t total) {
    const std::string start = "GET http://a.example/ HTTP/1.1\r\nHost: a.example\r\nA: ";
    return Cat(start, std::string(total - start.size() - 4, 'a'), "\r\n\r\n");
  };
  EXPECT_EQ(Whole(loop, JudgeRequest, padded(65536)).fault, Fault::kNone);
  EXPECT_EQ(Whole(loop, JudgeRequest, padded(65537)).fault, Fault::kHttpHeaderTooLarge);
  const auto counted = [](int fields) {
    std::string head = "GET http://a.example/ HTTP/1.1\r\nHost: a.example\r\n";
    for (int i = 1; i < fields; ++i) head += "A: b\r\n";
    return head + "\r\n";
  };
  EXPECT_EQ(Whole(loop, JudgeRequest, counted(100)).fault, Fault::kNone);
  EXPECT_EQ(Whole(loop, JudgeRequest, counted(101)).fault, Fault::kHttpTooManyFields);
  const auto targeted = [](size_t size) {
    const std::string start = "http://a.example/";
    return Cat("GET ", start, std::string(size - start.size(), 'x'), " HTTP/1.1\r\nHost: a.example\r\n\r\n");
  };
  EXPECT_EQ(Whole(loop, JudgeRequest, targeted(16384)).fault, Fault::kNone);
  EXPECT_EQ(Whole(loop, JudgeRequest, targeted(16385)).fault, Fault::kHttpUriTooLong);
  // Refused as soon as it is too long, not when its end comes.
  EXPECT_EQ(Whole(loop, JudgeRequest, targeted(70000)).fault, Fault::kHttpUriTooLong);
  EXPECT_EQ(Whole(loop, JudgeRequest, targeted(70000).substr(0, 16390)).fault, Fault::kHttpUriTooLong);
}

TEST(Http1Parse, H17_AResponseHeadBombIsCutOff) {
  Loop loop;
  EXPECT_EQ(Whole(loop, JudgeResponse, Cat("HTTP/1.1 200 OK\r\nA: ", std::string(1 << 20, 'a'))).fault,
            Fault::kUpstreamHeaderTooLarge);
  std::string lines = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 10000; ++i) lines += "A: b\r\n";
  EXPECT_EQ(Whole(loop, JudgeResponse, lines).fault, Fault::kUpstreamHeaderTooLarge);
}

TEST(Http1Parse, H19_ForbiddenTrailersAreDroppedAndOthersKept) {
  Loop loop;
  const Verdict verdict =
      Whole(loop, JudgeRequest,
            "POST http://a.example/ HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n"
            "Content-Length: 9\r\nHost: b\r\nTransfer-Encoding: chunked\r\nAuthorization: y\r\nX-Sum: 1\r\n"
            "Set-Cookie: a=b\r\nProxy-Authorization: z\r\nX-Forwarded-For: ::1\r\nGrpc-Status:  0 \r\n\r\n");
  EXPECT_EQ(verdict.fault, Fault::kNone);
  EXPECT_EQ(verdict.trailers, "X-Sum: 1\r\nGrpc-Status: 0\r\n");
}

TEST(Http1Parse, H06_AMebibyteOfOneByteChunksComesOutWhole) {
  Loop loop;
  std::string bytes = "POST http://a.example/ HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < (1 << 20); ++i) bytes += "1\r\nx\r\n";
  bytes += "0\r\n\r\n";
  const Verdict verdict = Whole(loop, JudgeRequest, bytes);
  EXPECT_EQ(verdict.fault, Fault::kNone);
  EXPECT_EQ(verdict.content, std::string(1 << 20, 'x'));
}

}  // namespace
}  // namespace egret
