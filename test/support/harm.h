// What may befall a proxy in the middle of its work, and what must hold of it all the same: all tasks end, nothing
// leaks, everything is counted and logged once.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "test/support/proxy_bench.h"

namespace egret {

enum class Harm : uint8_t {
  kClientReset,
  kClientClose,
  kClientFin,
  kOriginReset,
  kOriginClose,
  kOriginFin,
  kSessionEnd,
  kRecordsEnd,
  kDrain,
};
inline constexpr std::pair<Harm, const char*> kHarms[] = {
    {Harm::kClientReset, "client reset"}, {Harm::kClientClose, "client close"},        {Harm::kClientFin, "client FIN"},
    {Harm::kOriginReset, "origin reset"}, {Harm::kOriginClose, "origin close"},        {Harm::kOriginFin, "origin FIN"},
    {Harm::kSessionEnd, "session end"},   {Harm::kRecordsEnd, "ended by an operator"}, {Harm::kDrain, "drain"},
};

void Inflict(ProxyBench& bench, Harm harm);

// Nothing is live, and the counters say so.
void CheckCounts(ProxyBench& bench);
// Each request id has one line that ends it.
void CheckEndsOnce(const std::vector<LogLine>& log);

// Empty where the line has no such member.
std::string Member(const LogLine& line, std::string_view name);

// The script again and again, each harm a turn later each time, until the script ends before it; it has to take more
// than `at_least` turns.
void InflictInEachTurn(const BenchSetup& setup, ProxyBench::ClientScript client, int at_least);

}  // namespace egret
