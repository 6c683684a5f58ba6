#include "test/support/harm.h"

#include <gtest/gtest.h>

#include <map>

#include "source/base/frame_pool.h"

namespace egret {
namespace {

constexpr int kMostTurns = 400;

// False: the script ended before the harm.
bool InflictAfter(const BenchSetup& setup, ProxyBench::ClientScript client, Harm harm, int turns) {
  Loop loop;
  ProxyBench bench(loop, setup);
  bench.Start(client);
  for (int i = 0; i < turns && !bench.Idle(); ++i) bench.Turn();
  const bool inflicted = !bench.Idle();
  if (inflicted) Inflict(bench, harm);
  EXPECT_TRUE(bench.Finish());
  CheckCounts(bench);
  CheckEndsOnce(bench.TakeLog());
  return inflicted;
}

}  // namespace

void Inflict(ProxyBench& bench, Harm harm) {
  using Break = ProxyBench::Break;
  switch (harm) {
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
    case Harm::kOriginFin:
      return bench.BreakOrigins(Break::kFin);
    case Harm::kSessionEnd:
      return bench.EndSessions();
    case Harm::kRecordsEnd:
      return bench.EndRecords();
    case Harm::kDrain:
      return bench.Drain();
  }
}

void CheckCounts(ProxyBench& bench) {
  Worker& worker = bench.worker();
  EXPECT_TRUE(worker.live().empty());
  EXPECT_EQ(worker.counters().connections_active.Read(), 0);
  EXPECT_EQ(worker.counters().exchanges_active.Read(), 0);
  EXPECT_EQ(worker.counters().tunnels_active.Read(), 0);
  EXPECT_EQ(worker.pool().links().Read(), worker.pool().idle().Read());
}

void CheckEndsOnce(const std::vector<LogLine>& log) {
  std::map<std::string, int> ends;
  for (const LogLine& line : log)
    if (Member(line, "event") == "end") ++ends[Member(line, "request_id")];
  for (const auto& [id, count] : ends) EXPECT_EQ(count, 1) << id;
}

std::string Member(const LogLine& line, std::string_view name) {
  const auto at = line.find(name);
  return at == line.end() ? std::string() : at->second;
}

void InflictInEachTurn(const BenchSetup& setup, ProxyBench::ClientScript client, int at_least) {
  const uint64_t before = FramePool::live_bytes();
  for (const auto& [harm, name] : kHarms) {
    SCOPED_TRACE(name);
    int turns = 0;
    for (bool inflicted = true; inflicted && turns < kMostTurns; ++turns) {
      SCOPED_TRACE(turns);
      inflicted = InflictAfter(setup, client, harm, turns);
      ASSERT_EQ(FramePool::live_bytes(), before);
      if (testing::Test::HasFailure()) return;
    }
    EXPECT_LT(turns, kMostTurns) << "the conversation never ended";
    EXPECT_GT(turns, at_least);
  }
}

}  // namespace egret
