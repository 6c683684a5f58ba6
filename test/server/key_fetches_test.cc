#include "source/server/key_fetches.h"

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <string>
#include <utility>

#include "source/base/strings.h"
#include "test/auth/jwt_issuer.h"

namespace egret {
namespace {

// Gives what the test says; an empty JSON is an answer that never comes.
class ScriptedSource final : public KeySource {
 public:
  Task<Result<PublishedKeys, Problem>> Get(const KeyAddress& /*address*/) override {
    ++asked;
    asked_ms = Loop::current()->now_ms();
    if (!answer.ok()) co_return answer.error();
    if (answer->json.empty()) co_await GateAwaiter(Gate::NeverOpen());
    co_return *answer;
  }

  Result<PublishedKeys, Problem> answer = Problem{"nobody there"};
  int asked = 0;
  uint64_t asked_ms = 0;  // the last time
};

class KeyFetchesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    feed_ = fetches_.Open(
        {.url = "https://issuer.test/keys", .at = {}, .tls = nullptr, .tls_name = {}, .reaches_private = {}});
  }

  void Turn() {
    while (loop_.Turn(0)) {
    }
  }
  void Publish(const JwtIssuer& issuer, std::optional<uint64_t> max_age_s = std::nullopt) {
    source_.answer = PublishedKeys{issuer.Jwks(), max_age_s};
  }
  // Lets pass what is not worth waiting for.
  void PassUntil(uint64_t ms) {
    for (; loop_.now_ms() < ms; Turn()) ASSERT_TRUE(loop_.SkipToTimer(ms - loop_.now_ms()));
  }
  void Pass(uint64_t ms) { PassUntil(loop_.now_ms() + ms); }
  bool Has(const char* id) const { return feed_->keys()->Get()->Find(id) != nullptr; }
  bool Told(size_t index) const { return answers_[index].state()->value.has_value(); }
  void Look() {
    feed_->Look(answers_.emplace_back());
    Turn();
  }

  Loop loop_;
  ScriptedSource source_;
  int renewed_ = 0;
  KeyFetches fetches_{loop_, source_, [this] { ++renewed_; }};
  std::shared_ptr<KeyFeed> feed_;
  std::deque<Pending<KeyFeed::Looked>> answers_;
  const JwtIssuer first_{JwtAlgorithm::kEdDsa, "k1"}, second_{JwtAlgorithm::kEdDsa, "k2"};
};

TEST_F(KeyFetchesTest, NothingIsFetchedBeforeItIsInForceAndOnceIsEnough) {
  Publish(first_);
  Turn();
  EXPECT_EQ(source_.asked, 0);
  EXPECT_TRUE(fetches_.Status().empty());
  feed_->Begin();
  feed_->Begin();
  Turn();
  EXPECT_EQ(source_.asked, 1);
  EXPECT_TRUE(Has("k1"));
  EXPECT_EQ(renewed_, 1);
  ASSERT_EQ(fetches_.Status().size(), 1u);
  EXPECT_EQ(fetches_.Status()[0].fetched, 1u);
  EXPECT_GT(fetches_.Status()[0].fetched_unix, 0);
}

TEST_F(KeyFetchesTest, TheyAreFetchedAgainWhenTheIssuerSaysButNeitherTooOftenNorTooSeldom) {
  struct Case {
    std::optional<uint64_t> max_age_s;
    uint64_t after_ms;
  };
  Publish(first_, 0);
  feed_->Begin();
  Turn();
  for (const Case& one : {Case{0, 60'000}, Case{300, 60'000}, Case{uint64_t{1} << 33, 300'000},
                          Case{std::nullopt, 3'600'000}, Case{0, 600'000}}) {
    Publish(first_, one.max_age_s);  // of the next
    const int before = source_.asked;
    PassUntil(source_.asked_ms + one.after_ms - 100);
    EXPECT_EQ(source_.asked, before) << one.after_ms;
    Pass(200);
    EXPECT_EQ(source_.asked, before + 1) << one.after_ms;
  }
  EXPECT_EQ(renewed_, 1);  // they were the same all the time
}

TEST_F(KeyFetchesTest, WhoMissesAKeyWaitsForAFetchButSoonAfterThereIsNone) {
  Publish(first_);
  feed_->Begin();
  Turn();
  Publish(second_);
  Look();
  EXPECT_TRUE(Told(0));
  EXPECT_TRUE(Has("k2"));
  EXPECT_FALSE(Has("k1"));
  EXPECT_EQ(source_.asked, 2);
  Look();
  EXPECT_TRUE(Told(1));
  EXPECT_EQ(source_.asked, 2);
  Pass(KeyFetches::kAgainMs + 100);
  Look();
  EXPECT_TRUE(Told(2));
  EXPECT_EQ(source_.asked, 3);
}

TEST_F(KeyFetchesTest, WhoMissesAKeyWhileTheyAreFetchedWaitsForThatAndNotForever) {
  source_.answer = PublishedKeys{};
  feed_->Begin();
  Turn();
  Look();
  Look();
  EXPECT_FALSE(Told(0));
  EXPECT_EQ(source_.asked, 1);
  Pass(KeyFetches::kFetchMs + 100);
  EXPECT_TRUE(Told(0));
  EXPECT_TRUE(Told(1));
  EXPECT_EQ(fetches_.Status()[0].failed, 1u);
}

TEST_F(KeyFetchesTest, WhatCannotBeFetchedIsTriedAgainAndWhatWasFetchedHoldsForADay) {
  feed_->Begin();
  Turn();
  EXPECT_EQ(fetches_.Status()[0].failed, 1u);
  Publish(first_);
  Pass(KeyFetches::kAgainMs + 100);
  EXPECT_TRUE(Has("k1"));
  const std::shared_ptr<Vouch> vouch = feed_->keys()->Get()->Find("k1")->vouch();
  source_.answer = PublishedKeys{"{\"keys\": 1}", 3600};
  Pass(KeyFetches::kHoldMs - 60'000);
  EXPECT_TRUE(Has("k1"));
  EXPECT_FALSE(vouch->withdrawn());
  Pass(120'000);
  EXPECT_FALSE(Has("k1"));
  EXPECT_TRUE(vouch->withdrawn());
  Publish(first_);
  Pass(KeyFetches::kAgainMs + 100);
  EXPECT_TRUE(Has("k1"));
}

TEST_F(KeyFetchesTest, NobodyIsFetchedForWhoIsGone) {
  Publish(first_, 60);
  feed_->Begin();
  Turn();
  feed_.reset();
  Turn();
  EXPECT_TRUE(fetches_.Status().empty());
  loop_.SkipToTimer(3'600'000);
  Turn();
  EXPECT_EQ(source_.asked, 1);
}

TEST(MaxAge, IsReadFromCacheControl) {
  const auto of = [](std::initializer_list<std::string_view> values) {
    Head head;
    for (const std::string_view value : values) head.Add("Cache-Control", value);
    return MaxAgeOf(head);
  };
  EXPECT_EQ(of({}), std::nullopt);
  EXPECT_EQ(of({"public, max-age=300, must-revalidate"}), 300u);
  EXPECT_EQ(of({"public", "Max-Age=60"}), 60u);
  EXPECT_EQ(of({"max-age=300, no-store"}), 0u);
  EXPECT_EQ(of({"no-cache"}), 0u);
  for (const std::string_view odd :
       {"max-age", "max-age=", "max-age=-1", "max-age=1.5", "max-age=99999999999", "s-maxage=7", ",,", "x-max-age=7"})
    EXPECT_EQ(of({odd}), std::nullopt) << odd;
}

}  // namespace
}  // namespace egret
