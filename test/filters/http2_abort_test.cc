// Requests and a tunnel side by side on one HTTP/2 connection, again and again with a fault in every turn: whatever
// breaks whenever, all tasks end, nothing leaks, and everything is counted and logged once.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "source/base/strings.h"
#include "test/filters/origin_scripts.h"
#include "test/support/harm.h"
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

BenchSetup OfTheWeb() {
  BenchSetup setup;
  setup.origin = Web;
  return setup;
}

TEST(Http2AbortTest, UndisturbedEverythingIsServed) {
  Loop loop;
  ProxyBench bench(loop, OfTheWeb());
  bench.Start(Talk);
  ASSERT_TRUE(bench.Finish());
  CheckCounts(bench);
  const std::vector<LogLine> lines = bench.TakeLog();
  CheckEndsOnce(lines);
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

TEST(Http2AbortTest, AFaultInAnyTurnLeavesNothingBehind) { InflictInEachTurn(OfTheWeb(), Talk, 15); }

}  // namespace
}  // namespace egret
