// Every kind of exchange, and each of them again and again with a fault at every place where it waits: the client or
// the origin resets, closes or ends its side, the session is destroyed, an operator ends what is under way, the worker
// drains. Whatever breaks whenever, nothing leaks, everything is counted and logged once, and nobody hears a byte that
// was not for them.
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "source/base/frame_pool.h"
#include "source/base/strings.h"
#include "test/filters/origin_scripts.h"
#include "test/filters/scenarios.h"
#include "test/filters/transcript.h"
#include "test/support/harm.h"
#include "test/support/proxy_bench.h"
#include "test/support/socket_pair.h"

namespace egret {

void PrintTo(const Scenario& scenario, std::ostream* out) { *out << scenario.name; }

namespace {

// When: as soon as so many resumptions have been, between two turns or from the ready list, amid what is resumed.
struct Injection {
  std::optional<Harm> fault;
  uint64_t after = 0;
  bool amid = false;
};

struct Injector : Waiter {
  ProxyBench* bench = nullptr;
  Harm fault = Harm::kDrain;
};

struct Heard {
  bool injected = false;
  uint64_t at = 0;  // resumptions when it was
  std::vector<Transcript> clients;
  std::vector<std::string> origins;
  std::vector<LogLine> log;
};

// Somebody else asks the same origin, over whatever was left in the pool.
Task<void> AskAfterwards(ProxyBench& bench) {
  Peer& proxy = bench.Connect();
  const std::string authority = bench.Authority("origin.test");
  if (co_await proxy.Say(Cat("GET http://", authority, "/after HTTP/1.1\r\nHost: ", authority, "\r\n\r\n")))
    co_await proxy.HearAnswer();
}

class AbortTest : public testing::TestWithParam<Scenario> {
 protected:
  // Whatever broke, the next one gets an answer, and the right one: nothing was left behind for it. Only of origins
  // that go by the rules, and before a drain.
  static void CheckAfterwards(ProxyBench& bench, const Scenario& scenario) {
    if (scenario.setup.origin != Web || bench.worker().draining()) return;
    bench.Start(AskAfterwards);
    EXPECT_TRUE(bench.Finish());
    const HttpText answer = ReadHttp(bench.clients().back()->heard(), HttpKind::kResponse);
    EXPECT_EQ(answer.body, "hello /after");
    EXPECT_EQ(answer.size, bench.clients().back()->heard().size());
  }

  // One closing line for each exchange; one opening line for each tunnel, and what it opened is closed.
  static void CheckLog(const std::vector<LogLine>& log, uint64_t requests, uint64_t tunnels) {
    std::map<std::string, int> open, ended;
    uint64_t tunnels_ended = 0;
    for (const LogLine& line : log) {
      const bool end = Member(line, "event") == "end";
      ++(end ? ended : open)[Member(line, "request_id")];
      if (end && Member(line, "kind") == "tunnel") ++tunnels_ended;
    }
    EXPECT_EQ(ended.size(), requests);
    EXPECT_EQ(open.size(), tunnels);
    EXPECT_EQ(tunnels_ended, tunnels);
    for (const auto& [id, times] : ended) EXPECT_EQ(times, 1) << id;
    for (const auto& [id, times] : open) EXPECT_EQ(times, 1) << id;
    for (const auto& [id, times] : open) EXPECT_EQ(ended.count(id), 1u) << id;
  }

  static Heard RunOnce(const Scenario& scenario, const Injection& injection) {
    Heard run;
    const uint64_t frames = FramePool::live_bytes();
    {
      Loop loop;
      ProxyBench bench(loop, scenario.setup);
      Injector injector;
      injector.bench = &bench;
      injector.fault = injection.fault.value_or(Harm::kDrain);
      injector.run = [](Waiter& self) {
        auto& due = static_cast<Injector&>(self);
        Inflict(*due.bench, due.fault);
      };
      bench.Start(scenario.client);
      int turns = 5000;
      while (!bench.Idle() && --turns > 0) {
        if (injection.fault && !run.injected && loop.resumptions() >= injection.after) {
          run.injected = true;
          run.at = loop.resumptions();
          if (injection.amid) {
            loop.Ready(injector);
          } else {
            Inflict(bench, *injection.fault);
          }
        }
        if (!bench.Turn()) break;
      }
      EXPECT_TRUE(bench.Idle()) << "it hangs";
      bench.EndSessions();
      for (const auto& client : bench.clients()) run.clients.push_back(Transcribe(*client, scenario.more.head));
      for (const auto& origin : bench.origins()) run.origins.push_back(Anonymous(origin->heard(), bench.origin_port()));
      CheckAfterwards(bench, scenario);
      CheckCounts(bench);
      const uint64_t requests = bench.worker().counters().requests.Read();
      const uint64_t tunnels = bench.worker().counters().tunnels.Read();
      run.log = bench.TakeLog();
      CheckLog(run.log, requests, tunnels);
    }
    EXPECT_EQ(FramePool::live_bytes(), frames);
    return run;
  }

  // What origins hear is the beginning of what they are to hear; on a second attempt, again.
  static void CheckOrigins(const Heard& run, const Heard& right, std::string_view or_asked) {
    for (const std::string& heard : run.origins) {
      bool known = IsBeginningOfRequests(heard, or_asked);
      for (const std::string& one : right.origins) known = known || IsBeginningOfRequests(heard, one);
      EXPECT_TRUE(known) << "an origin heard: " << heard;
    }
  }

  // The fault at every place there is, until the scenario ends before it.
  static void InflictEverywhere(const Scenario& scenario, const Heard& right, Harm fault, const char* name, bool amid) {
    for (uint64_t after = 0;;) {
      SCOPED_TRACE(Cat(name, amid ? " amid" : "", " after ", after, " resumptions"));
      const Heard run = RunOnce(scenario, {fault, after, amid});
      if (!run.injected) return;
      ASSERT_LE(run.clients.size(), right.clients.size());
      const bool may_be_short = scenario.more.end_is_all && (fault == Harm::kOriginClose || fault == Harm::kOriginFin);
      for (size_t i = 0; i < run.clients.size() && !may_be_short; ++i)
        EXPECT_EQ(WrongIn(run.clients[i], right.clients[i]), "");
      CheckOrigins(run, right, scenario.more.or_asked);
      if (HasFailure()) return;
      after = run.at + 1;
    }
  }
};

std::string LogSummary(const std::vector<LogLine>& log) {
  std::string out;
  for (const LogLine& line : log) {
    if (Member(line, "event") != "end" || Member(line, "path") == "/after") continue;
    Append(out, Member(line, "kind"), ' ', Member(line, "status"));
    for (const char* name : {"detail", "close_reason", "carries"})
      if (const std::string value = Member(line, name); !value.empty()) Append(out, ' ', value);
    if (Member(line, "upstream_reused") == "true") out += " reused";
    out += '\n';
  }
  return out;
}

std::string Asked(const std::vector<std::string>& origins) {
  std::string out;
  for (std::string_view rest : origins) {
    while (!rest.empty()) {
      const HttpText request = ReadHttp(rest, HttpKind::kRequest);
      rest.remove_prefix(request.size);
      Append(out, request.start, request.Field("Proxy-Authorization").empty() ? "\n" : ", credentials\n");
    }
  }
  return out;
}

TEST_P(AbortTest, EndsWellWhateverBreaksWhenever) {
  const Scenario& scenario = GetParam();
  const size_t descriptors = OpenDescriptors();
  const Heard right = RunOnce(scenario, {});
  std::string heard;
  for (const Transcript& client : right.clients) heard += client.Summary();
  EXPECT_EQ(heard, scenario.hears);
  EXPECT_EQ(LogSummary(right.log), scenario.logs);
  EXPECT_EQ(right.origins.size(), scenario.more.origin_connections);
  if (!scenario.more.asked.empty()) EXPECT_EQ(Asked(right.origins), scenario.more.asked);
  if (HasFailure()) return;
  for (const auto& [fault, name] : kHarms) {
    InflictEverywhere(scenario, right, fault, name, false);
    InflictEverywhere(scenario, right, fault, name, true);
  }
  EXPECT_EQ(OpenDescriptors(), descriptors);
}

INSTANTIATE_TEST_SUITE_P(Scenarios, AbortTest, testing::ValuesIn(Scenarios().begin(), Scenarios().end()),
                         [](const testing::TestParamInfo<Scenario>& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace egret
