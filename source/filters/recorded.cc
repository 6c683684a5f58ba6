#include "source/filters/recorded.h"

#include <utility>

#include "source/base/log.h"
#include "source/base/strings.h"
#include "source/tls/tls_facts.h"

namespace egret {

Task<Result<Resolved, Fault>> ResolveRecorded(Worker& worker, ExchangeRecord& record, const std::string& name) {
  const uint64_t before = worker.loop().now_ms();
  Result<Resolved, Fault> resolved = co_await worker.resolver().Resolve(name);
  const uint64_t took = worker.loop().now_ms() - before;
  record.dns_ms = static_cast<int64_t>(took);
  worker.counters().dns_duration.Observe(took);
  if (Logs(LogComponent::kDns, LogLevel::kDebug))
    Log(LogComponent::kDns, LogLevel::kDebug, name, ": ",
        resolved ? Cat(resolved->addresses.size(), " addresses") : std::string(TextOf(resolved.error()).detail), " in ",
        took, " ms");
  co_return resolved;
}

void RecordHandshake(Worker& worker, ExchangeRecord& record, const TlsOutcome& outcome) {
  TlsCounters& counters = worker.counters().upstream_tls;
  counters.Add(outcome.fault);
  worker.counters().ocsp_staples[static_cast<size_t>(outcome.staple.staple)].Add();
  if (outcome.staple.staple == OcspStaple::kUnusable && Logs(LogComponent::kUpstream, LogLevel::kDebug))
    Log(LogComponent::kUpstream, LogLevel::kDebug, record.request_id, " handshake: ", outcome.staple.why);
  if (outcome.fault != Fault::kNone) {
    record.tls_detail = outcome.detail;
    return;
  }
  counters.AddAgreed(outcome.version, outcome.resumed);
  record.upstream_tls_resumed = outcome.resumed;
}

Task<DialOutcome> DialRecorded(Worker& worker, ExchangeRecord& record, Task<DialOutcome> dial) {
  const uint64_t before = worker.loop().now_ms();
  DialOutcome outcome = co_await std::move(dial);
  const uint64_t took = worker.loop().now_ms() - before;
  record.connect_ms = static_cast<int64_t>(took);
  for (const DialAttempt& attempt : outcome.failed)
    record.attempts.push_back(Cat(attempt.to.ToString(), ": ", TextOf(attempt.fault).detail));
  for (const TlsOutcome& handshake : outcome.handshakes) RecordHandshake(worker, record, handshake);
  if (Logs(LogComponent::kUpstream, LogLevel::kDebug)) {
    for (const std::string& attempt : record.attempts)
      Log(LogComponent::kUpstream, LogLevel::kDebug, record.request_id, " dial ", attempt);
    if (outcome.dialled)
      Log(LogComponent::kUpstream, LogLevel::kDebug, record.request_id, " connected to ",
          outcome.dialled->peer().ToString(), " in ", took, " ms");
  }
  if (outcome.dialled) {
    record.upstream = outcome.dialled->peer().ToString();
    worker.counters().upstream_connections.Add();
    worker.counters().connect_duration.Observe(took);
  }
  co_return outcome;
}

}  // namespace egret
