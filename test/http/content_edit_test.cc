// Codings that are taken off, and bodies that are edited while they are read.
#include "source/http/content_edit.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "source/base/strings.h"
#include "source/event/loop.h"
#include "source/http/content_coding.h"
#include "test/support/gzip.h"
#include "test/support/pieces_body.h"
#include "test/support/run_task.h"

namespace egret {
namespace {

constexpr Failure kMalformed{Side::kUpstream, Fault::kUpstreamUnchangeable};

class ContentEditTest : public testing::Test {
 protected:
  std::string Read(Body& body) { return RunTask(loop_, ReadAll(body)); }

  std::string Decoded(std::string_view coding, std::string_view bytes, size_t piece = 100) {
    const auto body = MakeEditedBody(std::make_unique<PiecesBody>(Cut(bytes, piece)), MakeDecoder(coding), kMalformed);
    return Read(*body);
  }

  Loop loop_;
};

std::string Text() {
  std::string text;
  for (int i = 0; i < 20000; ++i) Append(text, "line ", i, '\n');
  return text;
}

TEST_F(ContentEditTest, WhatIsInGzipAndDeflateIsReadHoweverItIsCut) {
  const std::string text = Text();
  for (const size_t piece : {size_t{1}, size_t{7}, size_t{1} << 20}) {
    EXPECT_EQ(Decoded("gzip", Compress(text), piece), text);
    EXPECT_EQ(Decoded("X-GZip", Compress(text), piece), text);
    EXPECT_EQ(Decoded("deflate", Compress(text, kZlibBits), piece), text);
    EXPECT_EQ(Decoded("deflate", Compress(text, kRawBits), piece), text);  // as some send it
  }
}

TEST_F(ContentEditTest, OtherCodingsAreNotKnown) {
  for (const std::string_view coding : {"br", "zstd", "compress", "identity", "", "gzip, gzip"})
    EXPECT_EQ(MakeDecoder(coding), nullptr) << coding;
}

TEST_F(ContentEditTest, WhatWePutInGzipIsReadAgain) {
  for (const size_t size : {size_t{0}, size_t{1}, size_t{100'000}}) {
    std::string text(size, 'x');
    for (size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i * i % 17);
    EXPECT_EQ(Decoded("gzip", Gzip(text), 1000), text);
  }
}

TEST_F(ContentEditTest, MembersOfGzipFollowEachOtherAndWhatIsBehindThemIsLeftOut) {
  for (const size_t piece : {size_t{1}, size_t{1000}}) {
    EXPECT_EQ(Decoded("gzip", Compress("one") + Compress("two"), piece), "onetwo");
    EXPECT_EQ(Decoded("gzip", Compress("one") + std::string(5, '\0') + "rest", piece), "one");
    EXPECT_EQ(Decoded("deflate", Compress("one", kZlibBits) + "rest", piece), "one");
  }
}

TEST_F(ContentEditTest, WhatEndsTooEarlyOrIsNoneOfItFails) {
  const std::string whole = Compress("some text");
  EXPECT_EQ(Decoded("gzip", whole.substr(0, whole.size() - 1)), "some text!upstream_unchangeable");
  EXPECT_EQ(Decoded("gzip", "plain"), "!upstream_unchangeable");
  EXPECT_EQ(Decoded("gzip", whole + whole.substr(0, 3)), "some text!upstream_unchangeable");
  EXPECT_EQ(Decoded("gzip", ""), "");
}

TEST_F(ContentEditTest, ABombIsBrokenOffWithinItsBound) {
  const std::string bomb = Compress(std::string(size_t{64} << 20, 'x'));
  const std::string got = Decoded("gzip", bomb, 4096);
  EXPECT_TRUE(got.ends_with("!upstream_unchangeable"));
  EXPECT_LT(got.size(), size_t{10} << 20);
  const std::string tame(size_t{4} << 20, 'x');
  EXPECT_EQ(Decoded("gzip", Compress(tame)), tame);
}

// Doubles every byte.
class Twice final : public ContentEdit {
 public:
  bool Take(std::string_view& in, std::string& out) override {
    for (; !in.empty() && out.size() < kRoom; in.remove_prefix(1)) out.append(2, in.front());
    return true;
  }
  bool End(std::string& out) override {
    out += '.';
    return true;
  }
};

TEST_F(ContentEditTest, AnEditedBodyKeepsItsTrailersButForDigests) {
  auto pieces = std::make_unique<PiecesBody>(Cut("abc", 1));
  pieces->length = 3;
  pieces->fields.Add("X-Sum", "1");
  pieces->fields.Add("content-digest", "sha-256=:x:");
  const auto body = MakeEditedBody(std::move(pieces), std::make_unique<Twice>(), kMalformed);
  EXPECT_EQ(body->Length(), std::nullopt);
  EXPECT_EQ(body->trailers(), nullptr);
  EXPECT_EQ(Read(*body), "aabbcc.");
  ASSERT_NE(body->trailers(), nullptr);
  EXPECT_EQ(body->trailers()->fields().size(), 1u);
  EXPECT_EQ(Read(*body), "");  // the end again
}

TEST_F(ContentEditTest, ABodyThatFailsIsNoWholeOne) {
  auto pieces = std::make_unique<PiecesBody>(Cut("abc", 2));
  pieces->fails = {Side::kUpstream, Fault::kUpstreamTruncated};
  const auto body = MakeEditedBody(std::move(pieces), std::make_unique<Twice>(), kMalformed);
  EXPECT_EQ(Read(*body), "aabbcc!upstream_truncated");
  EXPECT_EQ(body->trailers(), nullptr);
}

// Back-pressure: what is not asked for is not read, and no more is given at a time than the bound says.
TEST_F(ContentEditTest, NothingIsReadAhead) {
  auto pieces = std::make_unique<PiecesBody>(Cut(std::string(size_t{1} << 20, 'x'), size_t{64} << 10));
  const PiecesBody& source = *pieces;
  const auto body = MakeEditedBody(std::move(pieces), std::make_unique<Twice>(), kMalformed);
  for (int i = 0; i < 8; ++i) {
    EXPECT_LE(RunTask(loop_, body->Read()).bytes.size(), ContentEdit::kRoom + 2);
    EXPECT_EQ(source.reads, 1u);
    body->Release();
  }
  EXPECT_EQ(RunTask(loop_, body->Read()).bytes.substr(0, 2), "xx");
  EXPECT_EQ(source.reads, 2u);
}

TEST_F(ContentEditTest, ABodyWithAFrontIsOneBody) {
  auto rest = std::make_unique<PiecesBody>(Cut("rest", 3));
  rest->fields.Add("X-Sum", "1");
  const auto body = MakeBodyWithFront("front ", std::move(rest), 10);
  EXPECT_TRUE(body->Ready());
  EXPECT_EQ(body->Length(), 10u);
  EXPECT_EQ(Read(*body), "front rest");
  EXPECT_EQ(body->trailers()->fields().size(), 1u);
}

}  // namespace
}  // namespace egret
