#include "source/filters/reach.h"

#include <utility>

#include "source/base/strings.h"
#include "source/chain/local_reply.h"
#include "source/http/head.h"
#include "source/http/hop.h"
#include "source/upstream/dialler.h"

namespace egret {
namespace {

Reached Refused(Exchange& exchange, Fault fault) {
  Reached out;
  out.refusal = LocalReply(exchange, {Side::kUpstream, fault});
  return out;
}

Task<Result<Resolved, Fault>> ResolveTimed(Exchange& exchange, const std::string& name) {
  Worker& worker = exchange.worker();
  const uint64_t before = worker.loop().now_ms();
  Result<Resolved, Fault> resolved = co_await worker.resolver().Resolve(name);
  const uint64_t took = worker.loop().now_ms() - before;
  exchange.record().dns_ms = static_cast<int64_t>(took);
  worker.counters().dns_duration.Observe(took);
  co_return resolved;
}

// The way that the request has come, and us.
std::string ViaOf(const Exchange& exchange) {
  Head head;
  for (const Field& field : exchange.request.head.fields())
    if (field.known == static_cast<uint8_t>(FieldName::kVia)) head.Add(FieldName::kVia, field.value);
  if (!ViaHas(head, exchange.via)) AddVia(head, exchange.via);
  std::string via;
  for (const Field& field : head.fields()) Append(via, via.empty() ? "" : ", ", field.value);
  return via;
}

// A parent that resolves makes for a tunnel to it like for a plain request to it: the permit says where it leads.
[[clang::coro_wrapper]] Task<DialOutcome> DialFor(Exchange& exchange, DialPermit permit, const NextHop* hop,
                                                  const DialOptions& options) {
  if (hop == nullptr) return Dialler::Direct(std::move(permit), options);
  Resolver& resolver = exchange.worker().resolver();
  if (permit.next_hop() && !exchange.connect()) return Dialler::Parent(std::move(permit), *hop, resolver, options);
  return Dialler::Tunnel(std::move(permit), *hop, resolver, options, ViaOf(exchange));
}

Task<DialOutcome> DialTimed(Exchange& exchange, DialPermit permit, const NextHop* hop, const DialOptions& options) {
  Worker& worker = exchange.worker();
  const uint64_t before = worker.loop().now_ms();
  DialOutcome outcome = co_await DialFor(exchange, std::move(permit), hop, options);
  const uint64_t took = worker.loop().now_ms() - before;
  ExchangeRecord& record = exchange.record();
  record.connect_ms = static_cast<int64_t>(took);
  if (hop != nullptr) record.next_hop = hop->target.name();
  for (const DialAttempt& attempt : outcome.failed)
    record.attempts.push_back(Cat(attempt.to.ToString(), ": ", TextOf(attempt.fault).detail));
  if (outcome.dialled) {
    record.upstream = outcome.dialled->peer().ToString();
    worker.counters().upstream_connections.Add();
    worker.counters().connect_duration.Observe(took);
  }
  co_return outcome;
}

}  // namespace

Task<Reached> Reach(Exchange& exchange, const Admission& admission, const NextHop* hop, const DialOptions& options) {
  Facts facts = exchange.facts();
  const bool remote = hop != nullptr && hop->resolve == NextHop::Resolve::kRemote;
  Resolved resolved;
  if (!remote && !admission.target().literal) {
    Result<Resolved, Fault> found = co_await ResolveTimed(exchange, admission.target().host);
    if (!found) co_return Refused(exchange, found.error());
    resolved = std::move(*found);
    facts.resolved = std::span<const IpAddress>(resolved.addresses);
  }

  const Policy& policy = exchange.worker().policy();
  AddressRuling ruling =
      remote ? policy.DecideRemote(admission, facts, hop->target) : policy.DecideAddress(admission, facts);
  if (!ruling.permit) {
    Reached out;
    out.refusal = DenialReply(exchange, ruling.decision);
    co_return out;
  }
  RecordDecision(exchange.worker(), exchange.record(), ruling.decision);

  Reached out;
  out.binding = ruling.permit->binding();
  out.request = std::move(ruling.request);
  DialOutcome outcome = co_await DialTimed(exchange, std::move(*ruling.permit), hop, options);
  if (!outcome.dialled) co_return Refused(exchange, outcome.fault);
  out.dialled = std::move(outcome.dialled);
  co_return out;
}

}  // namespace egret
