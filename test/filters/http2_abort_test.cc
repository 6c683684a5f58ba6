// Requests and a tunnel side by side on one HTTP/2 connection, again and again with a fault in every turn: whatever
// breaks whenever, all tasks end, nothing leaks, and everything is counted and logged once.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "source/base/frame_pool.h"
#include "source/base/strings.h"
#include "test/filters/origin_scripts.h"
#include "test/support/http2_frames.h"
#include "test/support/proxy_bench.h"

namespace egret {
namespace {

constexpr int kStreams = 5;

h2::Fields Ask(const ProxyBench& bench, std::string_view method, std::string_view path) {
  return {{":method", std::string(method)},
          {":scheme", "http"},
          {":authority", bench.Authority("origin.test")},
          {":path", std::string(path)}};
}

// Reads frames until so many streams have ended, and gives the windows back. False: the connection ended first.
Task<bool> HearEnds(Peer& proxy, int streams) {
  while (streams > 0) {
    if (!co_await proxy.Hear(9)) co_return false;
    const std::string head(proxy.last());
    const size_t size = h2::NumberAt(head, 0, 3);
    const auto stream = static_cast<uint32_t>(h2::NumberAt(head, 5, 4));
    if (size > 0 && !co_await proxy.Hear(size)) co_return false;
    const auto type = static_cast<uint8_t>(head[3]);
    const auto flags = static_cast<uint8_t>(head[4]);
    if (type == h2::kData && size > 0) {
      const auto bytes = static_cast<uint32_t>(size);
      if (!co_await proxy.Say(h2::WindowUpdate(0, bytes) + h2::WindowUpdate(stream, bytes))) co_return false;
    }
    const bool end = type <= h2::kHeaders && (flags & h2::kEndStream) != 0;
    if (end || type == h2::kRstStream) --streams;
  }
  co_return true;
}

Task<void> Talk(ProxyBench& bench) {
  Peer& proxy = bench.Connect();
  const std::string authority = bench.Authority("origin.test");
  if (!co_await proxy.Say(std::string(h2::kPreface) + h2::Settings({{h2::kInitialWindowSize, 20000}}) +
                          h2::SettingsAck()))
    co_return;
  const std::string tunnelled = Cat("GET /b HTTP/1.1\r\nHost: ", authority, "\r\nConnection: close\r\n\r\n");
  for (const std::string& piece :
       {h2::Headers(1, Ask(bench, "GET", "/chunks")) + h2::Headers(3, Ask(bench, "POST", "/p"), h2::kEndHeaders),
        h2::Headers(5, h2::Connect(authority), h2::kEndHeaders) + h2::Data(3, "first"),
        h2::Headers(7, Ask(bench, "GET", "/big")) + h2::Data(5, tunnelled), h2::Headers(9, Ask(bench, "GET", "/hints")),
        h2::Data(3, "last", h2::kEndStream)})
    if (!co_await proxy.Say(piece)) co_return;
  if (!co_await HearEnds(proxy, kStreams)) co_return;
  co_await proxy.Say(h2::Data(5, "", h2::kEndStream) + h2::Goaway(0, 0));
}

enum class Harm : uint8_t {
  kClientReset,
  kClientClose,
  kClientFin,
  kOriginReset,
  kOriginClose,
  kSessionEnd,
  kRecordsEnd,
  kDrain,
};
constexpr std::pair<Harm, const char*> kFaults[] = {
    {Harm::kClientReset, "client reset"}, {Harm::kClientClose, "client close"},
    {Harm::kClientFin, "client FIN"},     {Harm::kOriginReset, "origin reset"},
    {Harm::kOriginClose, "origin close"}, {Harm::kSessionEnd, "session end"},
    {Harm::kRecordsEnd, "operator"},      {Harm::kDrain, "drain"},
};

void Inflict(ProxyBench& bench, Harm fault) {
  using Break = ProxyBench::Break;
  switch (fault) {
    case Harm::kClientReset:
      return bench.BreakClients(Break::kReset);
    case Harm::kClientClose:
      return bench.BreakClients(Break::kClose);
    case Harm::kClientFin:
      return bench.BreakClients(Break::kFin);
    case Harm::kOriginReset:
      return bench.BreakOrigins(Break::kReset);
    case Harm::kOriginClose:
      return bench.BreakOrigins(Break::kClose);
    case Harm::kSessionEnd:
      return bench.EndSessions();
    case Harm::kRecordsEnd:
      return bench.EndRecords();
    case Harm::kDrain:
      return bench.Drain();
  }
}

BenchSetup OfTheWeb() {
  BenchSetup setup;
  setup.origin = Web;
  return setup;
}

void CheckCounts(ProxyBench& bench) {
  Worker& worker = bench.worker();
  EXPECT_TRUE(worker.live().empty());
  EXPECT_EQ(worker.counters().connections_active.Read(), 0);
  EXPECT_EQ(worker.counters().exchanges_active.Read(), 0);
  EXPECT_EQ(worker.counters().tunnels_active.Read(), 0);
  EXPECT_EQ(worker.pool().links().Read(), worker.pool().idle().Read());
}

// Each request id once.
void CheckLog(const std::vector<LogLine>& lines) {
  std::map<std::string, int> ends;
  for (const LogLine& line : lines)
    if (line.at("event") == "end") ++ends[line.at("request_id")];
  for (const auto& [id, count] : ends) EXPECT_EQ(count, 1) << id;
}

TEST(Http2AbortTest, UndisturbedEverythingIsServed) {
  Loop loop;
  ProxyBench bench(loop, OfTheWeb());
  bench.Start(Talk);
  ASSERT_TRUE(bench.Finish());
  CheckCounts(bench);
  const std::vector<LogLine> lines = bench.TakeLog();
  CheckLog(lines);
  int ok = 0, inner = 0;
  for (const LogLine& line : lines) {
    if (line.at("event") != "end") continue;
    EXPECT_EQ(line.at("status"), "200") << line.at("request_id");
    if (line.at("protocol") == "HTTP/2") ++ok;
    if (line.contains("parent_id")) ++inner;
  }
  EXPECT_EQ(ok, kStreams);
  EXPECT_EQ(inner, 1);
}

TEST(Http2AbortTest, AFaultInAnyTurnLeavesNothingBehind) {
  const uint64_t before = FramePool::live_bytes();
  for (const auto& [fault, name] : kFaults) {
    SCOPED_TRACE(name);
    bool injected = true;
    int turns = 0;
    for (; injected && turns < 400; ++turns) {
      SCOPED_TRACE(turns);
      {
        Loop loop;
        ProxyBench bench(loop, OfTheWeb());
        bench.Start(Talk);
        for (int i = 0; i < turns && !bench.Idle(); ++i) bench.Turn();
        injected = !bench.Idle();
        if (injected) Inflict(bench, fault);
        EXPECT_TRUE(bench.Finish());
        CheckCounts(bench);
        CheckLog(bench.TakeLog());
      }
      ASSERT_EQ(FramePool::live_bytes(), before);
      if (testing::Test::HasFailure()) return;
    }
    EXPECT_FALSE(injected) << "the conversation never ended";
    EXPECT_GT(turns, 15);  // so many places there are at least
  }
}

}  // namespace
}  // namespace egret
