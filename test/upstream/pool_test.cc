// The pool on pipes: which link is given out, and which never again.
#include "source/upstream/pool.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "source/base/check.h"
#include "source/event/loop.h"
#include "test/support/pipe.h"
#include "test/support/run_task.h"

namespace egret {
namespace {

constexpr std::string_view kKey = "example.com:80";

class PoolTest : public testing::Test {
 protected:
  // A link whose last octet is `n`.
  std::unique_ptr<Http1Link> Make(uint8_t n, std::string_view key = kKey) {
    auto [near, far] = PipeStream::Pair();
    auto link = std::make_unique<Http1Link>(
        NewLink{pool_.Enter(std::string(key)), std::move(near), Endpoint{IpAddress::V4(0x5db8d800u + n), 80}}, client_);
    origins_.push_back(std::move(far));
    return link;
  }

  static Task<bool> Exchange(Http1Client& client, PipeStream& origin, std::string answer) {
    Head head;
    head.method = "GET";
    head.path = "/";
    CHECK(!co_await client.SendHead(head, nullptr));
    CHECK(origin.Write(answer).bytes == answer.size());
    co_return (co_await client.ReadHead()).ok();
  }
  // One whole request on it, so that it may be used again.
  std::unique_ptr<Http1Link> Used(std::unique_ptr<Http1Link> link,
                                  std::string answer = "HTTP/1.1 204 No Content\r\n\r\n") {
    EXPECT_TRUE(RunTask(loop_, Exchange(link->client, *origins_.back(), std::move(answer))));
    origins_.back()->in().bytes.clear();
    return link;
  }
  void Put(uint8_t n, std::string_view key = kKey) { pool_.Put(Used(Make(n, key)), limits_); }

  // Its last octet; 0: none was given.
  int Take(std::string_view key = kKey, uint32_t refused = 0) {
    given_ = pool_.Take(std::string(key), [&](const IpAddress& peer) { return peer.v4_bits() % 256 != refused; });
    return given_ != nullptr ? static_cast<int>(given_->peer.address.v4_bits() % 256) : 0;
  }
  void Pass(uint64_t ms) {
    const uint64_t until = loop_.now_ms() + ms;
    while (loop_.now_ms() < until && loop_.SkipToTimer(until - loop_.now_ms())) loop_.Turn(0);
  }
  bool MayDial(std::string_view key = kKey) { return pool_.Claim(std::string(key), limits_).has_value(); }
  int64_t Idle() const { return pool_.idle().Read(); }
  int64_t Links() const { return pool_.links().Read(); }

  Loop loop_;
  Http1ClientLimits client_;
  PoolLimits limits_;
  std::vector<std::unique_ptr<PipeStream>> origins_;
  UpstreamPool pool_;
  std::unique_ptr<Http1Link> given_;
};

TEST_F(PoolTest, ALookTakesNothing) {
  const auto any = [](const IpAddress&) { return true; };
  EXPECT_EQ(pool_.Look(std::string(kKey), any), nullptr);
  Put(1);
  EXPECT_EQ(pool_.Look(std::string(kKey), any), nullptr);  // in clear: there is no TLS to be seen
  EXPECT_EQ(Idle(), 1);
  EXPECT_EQ(Take(), 1);
}

TEST_F(PoolTest, TheLinkThatIdledLeastIsGivenAndOnlyForItsKey) {
  Put(1);
  Put(2);
  Put(3, "example.org:80");
  EXPECT_EQ(Take("example.net:80"), 0);
  EXPECT_EQ(Take(), 2);
  EXPECT_EQ(Take(), 1);
  EXPECT_EQ(Take(), 0);
  EXPECT_EQ(Take("example.org:80"), 3);
  given_.reset();
  EXPECT_EQ(Links(), 0);
  EXPECT_EQ(Idle(), 0);
}

TEST_F(PoolTest, ALinkWhoseAddressIsNotAdmittedNowStaysForOthers) {
  Put(1);
  Put(2);
  EXPECT_EQ(Take(kKey, 2), 1);
  EXPECT_EQ(Take(kKey, 2), 0);
  EXPECT_EQ(Take(), 2);
}

TEST_F(PoolTest, ALinkThatItsOriginEndedIsNotGiven) {
  Put(1);
  Put(2);
  origins_.back()->Finish();
  EXPECT_EQ(Take(), 1);
  EXPECT_EQ(Links(), 1);  // the other is closed
}

TEST_F(PoolTest, ALinkThatItsOriginResetIsNotGiven) {
  Put(1);
  origins_.back()->Reset();
  EXPECT_EQ(Take(), 0);
  EXPECT_EQ(Links(), 0);
}

TEST_F(PoolTest, H15_ALinkOnWhichItsOriginSpokeUnaskedIsNotGiven) {
  Put(1);
  origins_.back()->Write("HTTP/1.1 200 OK\r\n\r\n");
  EXPECT_EQ(Take(), 0);
  EXPECT_EQ(Links(), 0);
}

TEST_F(PoolTest, WhatWasNotReadToItsEndIsClosed) {
  pool_.Put(Used(Make(2), "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"), limits_);  // content unread
  pool_.Put(Used(Make(3), "HTTP/1.1 204 No\r\nConnection: close\r\n\r\n"), limits_);     // not to be kept
  pool_.Put(Used(Make(4), "HTTP/1.1 204 No\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"), limits_);   // more than asked
  pool_.Put(Used(Make(5), "HTTP/1.1 200 OK\r\n\r\n"), limits_);                          // until it ends
  EXPECT_EQ(Idle(), 0);
  EXPECT_EQ(Links(), 0);
}

TEST_F(PoolTest, ALinkThatNobodyHasAskedAnythingOfIsKept) {
  pool_.Put(Make(1), limits_);
  EXPECT_EQ(Take(), 1);
  EXPECT_FALSE(given_->client.asked());
}

TEST_F(PoolTest, BeforeItsSettingsHaveComeASharedLinkTakesOneRequest) {
  auto [near, far] = PipeStream::Pair();
  pool_.Share(std::make_unique<Http2Link>(NewLink{pool_.Enter("a:443"), std::move(near), Endpoint{}}, Http2Limits(),
                                          pool_.http2_hits()));
  const auto any = [](const IpAddress&) { return true; };
  loop_.Turn(0);
  Http2Link* const link = pool_.FindShared("a:443", any);
  ASSERT_NE(link, nullptr);
  const std::unique_ptr<Http2ClientStream> stream = link->client.Open();
  EXPECT_EQ(pool_.FindShared("a:443", any), nullptr);
  far->Write(std::string_view("\0\0\0\4\0\0\0\0\0", 9));  // SETTINGS
  for (int i = 0; i < 10; ++i) loop_.Turn(0);
  EXPECT_EQ(pool_.FindShared("a:443", any), link);
}

TEST_F(PoolTest, WhereThereIsNoRoomForItsKeyTheLinkThatIdledLongestIsClosed) {
  limits_.idle_per_key = 2;
  for (uint8_t n = 1; n <= 3; ++n) Put(n);
  EXPECT_EQ(Links(), 2);
  EXPECT_EQ(pool_.turned_away().Read(), 1u);
  EXPECT_EQ(Take(), 3);
  EXPECT_EQ(Take(), 2);
  EXPECT_EQ(Take(), 0);
}

TEST_F(PoolTest, WhereThereIsNoRoomAtAllTheLinkThatIdledLongestIsClosedWhateverItsKey) {
  limits_.idle_total = 3;
  Put(1);
  Put(2);
  Put(3, "example.org:80");
  EXPECT_EQ(Take(kKey, 2), 1);
  pool_.Put(std::move(given_), limits_);  // 2 has idled longest now
  Put(4, "example.net:80");
  EXPECT_EQ(Idle(), 3);
  EXPECT_EQ(Links(), 3);
  EXPECT_EQ(Take(kKey, 1), 0);
  EXPECT_EQ(Take("example.net:80"), 4);
}

TEST_F(PoolTest, WhereNothingMayIdleEveryLinkIsClosed) {
  limits_.idle_per_key = 0;
  Put(1);
  EXPECT_EQ(Links(), 0);
  limits_ = {};
  limits_.idle_total = 0;
  Put(2);
  EXPECT_EQ(Links(), 0);
}

TEST_F(PoolTest, LinksInUseCountTowardsTheLimitOfTheirKey) {
  limits_.links_per_key = 2;
  EXPECT_TRUE(MayDial());
  auto a = Make(1);
  EXPECT_TRUE(MayDial());
  auto b = Used(Make(2));
  EXPECT_FALSE(MayDial());
  EXPECT_TRUE(MayDial("example.org:80"));
  pool_.Put(std::move(b), limits_);
  EXPECT_FALSE(MayDial());
  a.reset();
  EXPECT_TRUE(MayDial());
}

TEST_F(PoolTest, ADialUnderWayCountsTowardsTheLimitAndIsForgottenWhereItFails) {
  limits_.links_per_key = 1;
  std::optional<PoolPlace> place = pool_.Claim(std::string(kKey), limits_);
  ASSERT_TRUE(place);
  EXPECT_FALSE(MayDial());
  EXPECT_EQ(Links(), 1);
  place.reset();
  EXPECT_TRUE(MayDial());
  EXPECT_EQ(Links(), 0);
}

TEST_F(PoolTest, IdleLinksAreClosedWhenTheirTimeIsUp) {
  limits_.idle_ms = 10'000;
  Put(1);
  Pass(6000);
  Put(2);
  Pass(6000);
  EXPECT_EQ(Idle(), 1);
  EXPECT_EQ(Take(), 2);
  given_.reset();
  Pass(60'000);
  EXPECT_EQ(Links(), 0);
}

TEST_F(PoolTest, AnOldLinkIsNotKeptHoweverBusyItIs) {
  limits_.max_age_ms = 10'000;
  auto link = Used(Make(1));
  pool_.Put(std::move(link), limits_);
  EXPECT_EQ(Take(), 1);
  Put(2);  // so that the sweep runs
  Pass(11'000);
  pool_.Put(std::move(given_), limits_);
  EXPECT_EQ(Links(), 0);
}

TEST_F(PoolTest, TheSweepFindsLinksThatDied) {
  Put(1);
  Put(2);
  origins_.front()->Finish();
  Pass(2000);
  EXPECT_EQ(Idle(), 1);
}

TEST_F(PoolTest, ALinkTakesExtendedConnectOnceItsSettingsSayThatItDoes) {
  constexpr std::string_view kEmpty("\0\0\0\4\0\0\0\0\0", 9);                   // SETTINGS
  constexpr std::string_view kOffering("\0\0\6\4\0\0\0\0\0\0\x8\0\0\0\1", 15);  // ENABLE_CONNECT_PROTOCOL = 1
  const Http2Limits limits;
  for (const auto& [key, settings] : {std::pair("a:443", kEmpty), std::pair("b:443", kOffering)}) {
    auto [near, far] = PipeStream::Pair();
    pool_.Share(std::make_unique<Http2Link>(NewLink{pool_.Enter(key), std::move(near), Endpoint{}}, limits,
                                            pool_.http2_hits()));
    loop_.Turn(0);
    EXPECT_FALSE(pool_.TakesExtendedConnect(key));  // nothing is known yet
    far->Write(settings);
    for (int i = 0; i < 10; ++i) loop_.Turn(0);
    origins_.push_back(std::move(far));
  }
  EXPECT_FALSE(pool_.TakesExtendedConnect("a:443"));
  EXPECT_TRUE(pool_.TakesExtendedConnect("b:443"));
  EXPECT_FALSE(pool_.TakesExtendedConnect("c:443"));
}

}  // namespace
}  // namespace egret
