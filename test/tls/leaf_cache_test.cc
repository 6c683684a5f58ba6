// One mint for many handshakes, bounds, and what makes a leaf another one. Rows M04, M05 and M13 of the test catalogue.
#include "source/tls/leaf_cache.h"

#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <time.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "source/event/loop.h"
#include "source/event/nursery.h"
#include "source/event/wait.h"
#include "source/tls/new_authority.h"
#include "test/support/run_task.h"
#include "test/support/test_ca.h"

namespace egret {
namespace {

using AuthorityPtr = std::shared_ptr<const CertificateAuthority>;

const int64_t kNow = time(nullptr);

// Somebody outside who signs once he is let.
class SlowSigner final : public LeafSigner {
 public:
  explicit SlowSigner(EVP_PKEY* key) : key_(key) {}
  Task<Result<X509Ptr, Problem>> Sign(X509Ptr leaf) const override {
    ++asked;
    while (!may.open()) co_await GateAwaiter(may);
    if (fails) co_return Problem{"he is out"};
    X509_sign(leaf.get(), key_, EVP_sha256());
    co_return leaf;
  }
  mutable int asked = 0;
  mutable Gate may{false};
  bool fails = false;

 private:
  EVP_PKEY* key_;
};

class LeafCacheTest : public testing::Test {
 protected:
  LeafCacheTest() : made_(std::move(*MakeAuthority({.common_name = "CA", .lifetime_s = 86400}, nullptr, kNow))) {}

  AuthorityPtr Authority(std::shared_ptr<const LeafSigner> signer = nullptr) {
    AuthorityOptions options;
    options.certificate_pem = PemOf(made_.certificate.get());
    if (signer == nullptr) options.key_pem = PemOf(made_.key.get());
    options.signer = std::move(signer);
    auto made = CertificateAuthority::Make(options, kNow);
    EXPECT_TRUE(made.ok()) << made.error().text;
    return *made;
  }
  LeafPtr Get(LeafCache& cache, const AuthorityPtr& authority, const std::string& target, const X509* origin = nullptr,
              int64_t now = kNow) {
    auto leaf = RunTask(loop_, cache.Get(authority, target, origin, now));
    EXPECT_TRUE(leaf.ok()) << leaf.error().text;
    return leaf.ok() ? *leaf : nullptr;
  }
  static Task<void> Want(LeafCache& cache, AuthorityPtr authority, std::string target,
                         std::vector<Result<LeafPtr, Problem>>& got) {
    auto leaf = co_await cache.Get(std::move(authority), target, nullptr, kNow);
    got.push_back(std::move(leaf));
  }

  Loop loop_;
  NewAuthority made_;
};

TEST_F(LeafCacheTest, MintsOnceAndKeepsIt) {
  LeafCache cache;
  const AuthorityPtr authority = Authority();
  const LeafPtr first = Get(cache, authority, "a.test");
  EXPECT_EQ(Get(cache, authority, "a.test"), first);
  EXPECT_NE(Get(cache, authority, "b.test"), first);
  EXPECT_EQ(cache.counters().minted.Read(), 2u);
  EXPECT_EQ(cache.counters().cached.Read(), 1u);
  EXPECT_EQ(cache.counters().leaves.Read(), 2);
}

TEST_F(LeafCacheTest, RowM05AnotherOriginOrAnotherCaIsAnotherLeaf) {
  LeafCache cache;
  const AuthorityPtr authority = Authority();
  const TestCa real, evil;
  const auto one = ParseCertificates(real.Issue({.alt_names = {"DNS:a.test", "DNS:one.test"}}).certificate_pem);
  const auto two = ParseCertificates(evil.Issue({.alt_names = {"DNS:a.test", "DNS:two.test"}}).certificate_pem);
  const LeafPtr unasked = Get(cache, authority, "a.test");
  const LeafPtr first = Get(cache, authority, "a.test", one->front().get());
  const LeafPtr second = Get(cache, authority, "a.test", two->front().get());
  EXPECT_EQ(NamesOf(unasked->certificate.get()), std::vector<std::string>{"a.test"});
  EXPECT_EQ(NamesOf(first->certificate.get()), (std::vector<std::string>{"a.test", "one.test"}));
  EXPECT_EQ(NamesOf(second->certificate.get()), (std::vector<std::string>{"a.test", "two.test"}));
  EXPECT_EQ(Get(cache, authority, "a.test", one->front().get()), first);
}

TEST_F(LeafCacheTest, RowM13ACaThatTakesTheOthersPlaceMintsAnew) {
  LeafCache cache;
  const AuthorityPtr old = Authority(), next = Authority();
  const LeafPtr before = Get(cache, old, "a.test"), after = Get(cache, next, "a.test");
  EXPECT_NE(before, after);
  EXPECT_EQ(X509_check_private_key(before->certificate.get(), after->base->key.get()), 0)
      << "each has a key of its own";
  ERR_clear_error();
  EXPECT_EQ(X509_check_private_key(before->certificate.get(), before->base->key.get()), 1)
      << "and a handshake that began before goes on";
}

TEST_F(LeafCacheTest, RowM04ItHoldsNoMoreThanItMay) {
  LeafCache cache({.leaves = 10});
  const AuthorityPtr authority = Authority();
  for (int i = 0; i < 100; ++i) Get(cache, authority, "n" + std::to_string(i) + ".test");
  EXPECT_EQ(cache.counters().leaves.Read(), 10);
  Get(cache, authority, "n90.test");  // the least used, until now
  Get(cache, authority, "new.test");
  EXPECT_EQ(cache.counters().cached.Read(), 1u);
  Get(cache, authority, "n90.test");
  EXPECT_EQ(cache.counters().cached.Read(), 2u);
  const size_t one = cache.bytes() / 10;
  LeafCache small({.bytes = 3 * one});
  for (int i = 0; i < 100; ++i) Get(small, authority, "n" + std::to_string(i) + ".test");
  EXPECT_EQ(small.counters().leaves.Read(), 3);
  LeafCache none({.bytes = 1});
  EXPECT_NE(Get(none, authority, "a.test"), nullptr);
  EXPECT_EQ(none.counters().leaves.Read(), 0);
}

TEST_F(LeafCacheTest, ALeafIsMintedAnewBeforeItEnds) {
  LeafCache cache;
  const AuthorityPtr authority = Authority();
  const LeafPtr first = Get(cache, authority, "a.test");
  EXPECT_GT(first->renew_at, kNow + 70000);
  EXPECT_EQ(Get(cache, authority, "a.test", nullptr, first->renew_at - 1), first);
  EXPECT_NE(Get(cache, authority, "a.test", nullptr, first->renew_at), first);
  EXPECT_EQ(cache.counters().leaves.Read(), 1);
}

TEST_F(LeafCacheTest, ManyHandshakesWaitForOneMint) {
  const auto signer = std::make_shared<SlowSigner>(made_.key.get());
  const AuthorityPtr authority = Authority(signer);
  LeafCache cache;
  std::vector<Result<LeafPtr, Problem>> got;
  Nursery waiting;
  for (int i = 0; i < 50; ++i) waiting.Start(Want(cache, authority, "a.test", got));
  waiting.Start(Want(cache, authority, "b.test", got));
  EXPECT_EQ(signer->asked, 2);
  EXPECT_EQ(cache.counters().waited.Read(), 49u);
  signer->may.Open();
  while (got.size() < 51 && loop_.Turn(20)) {
  }
  ASSERT_EQ(got.size(), 51u);
  for (const auto& leaf : got) ASSERT_TRUE(leaf.ok()) << leaf.error().text;
  EXPECT_EQ(cache.counters().minted.Read(), 2u);
}

TEST_F(LeafCacheTest, AMintOutlivesWhoeverAskedForIt) {
  const auto signer = std::make_shared<SlowSigner>(made_.key.get());
  const AuthorityPtr authority = Authority(signer);
  LeafCache cache;
  std::vector<Result<LeafPtr, Problem>> got;
  Nursery first, second;
  first.Start(Want(cache, authority, "a.test", got));
  second.Start(Want(cache, authority, "a.test", got));
  first.Clear();
  signer->may.Open();
  while (got.empty() && loop_.Turn(20)) {
  }
  ASSERT_TRUE(got.front().ok());
  EXPECT_EQ(Get(cache, authority, "a.test"), *got.front());
  EXPECT_EQ(signer->asked, 1);
}

TEST_F(LeafCacheTest, AFailureIsToldToAllAndNotKept) {
  const auto signer = std::make_shared<SlowSigner>(made_.key.get());
  const AuthorityPtr authority = Authority(signer);
  LeafCache cache;
  std::vector<Result<LeafPtr, Problem>> got;
  Nursery waiting;
  signer->fails = true;
  for (int i = 0; i < 3; ++i) waiting.Start(Want(cache, authority, "a.test", got));
  signer->may.Open();
  while (got.size() < 3 && loop_.Turn(20)) {
  }
  for (const auto& leaf : got) EXPECT_EQ(leaf.error().text, "he is out");
  EXPECT_EQ(cache.counters().failed.Read(), 1u);
  EXPECT_EQ(cache.counters().waited.Read(), 2u) << "each that asked is counted once";
  EXPECT_EQ(cache.counters().leaves.Read(), 0);
  signer->fails = false;
  EXPECT_NE(Get(cache, authority, "a.test"), nullptr);
}

TEST_F(LeafCacheTest, NotMoreThanSoManyWaitForASignerOutside) {
  const auto signer = std::make_shared<SlowSigner>(made_.key.get());
  const AuthorityPtr authority = Authority(signer);
  LeafCache cache({.in_flight = 2});
  std::vector<Result<LeafPtr, Problem>> got;
  Nursery waiting;
  for (const char* const name : {"a.test", "b.test", "c.test"}) waiting.Start(Want(cache, authority, name, got));
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got.front().error().text, "too many leaves wait for the signer");
  EXPECT_EQ(cache.counters().failed.Read(), 1u);
}

TEST_F(LeafCacheTest, WhatASignerOutsideBringsIsChecked) {
  const KeyPtr other(EVP_EC_gen("P-256"));
  const auto signer = std::make_shared<SlowSigner>(other.get());
  signer->may.Open();
  LeafCache cache;
  const auto leaf = RunTask(loop_, cache.Get(Authority(signer), "a.test", nullptr, kNow));
  ASSERT_FALSE(leaf.ok());
  EXPECT_EQ(leaf.error().text, "what came back from the signer is not signed by the CA, or is another certificate");
}

}  // namespace
}  // namespace egret
