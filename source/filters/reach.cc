#include "source/filters/reach.h"

#include <utility>

#include "source/base/strings.h"
#include "source/chain/decide.h"
#include "source/chain/local_reply.h"
#include "source/filters/recorded.h"
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

// A parent that resolves makes for a tunnel to it like for a plain request to it: the permit says where it leads. Of
// https it sees nothing but the tunnel.
[[clang::coro_wrapper]] Task<DialOutcome> DialFor(Exchange& exchange, DialPermit permit, const NextHop* hop,
                                                  const DialOptions& options) {
  if (hop == nullptr) return Dialler::Direct(std::move(permit), options);
  Resolver& resolver = exchange.worker().resolver();
  if (permit.next_hop() && !exchange.connect() && !exchange.secure)
    return Dialler::Parent(std::move(permit), *hop, resolver, options, exchange.upgrade.empty());
  return Dialler::Tunnel(std::move(permit), *hop, resolver, exchange.worker().pool(), options, ViaOf(exchange));
}

}  // namespace

Task<Reached> Reach(Exchange& exchange, const Admission& admission, const NextHop* hop, const DialOptions& options) {
  Facts facts = exchange.facts();
  const bool remote = ParentResolves(hop);
  Resolved resolved;
  if (!remote && !admission.target().literal) {
    Result<Resolved, Fault> found =
        co_await ResolveRecorded(exchange.worker(), exchange.record(), admission.target().host);
    if (!found) co_return Refused(exchange, found.error());
    resolved = std::move(*found);
    facts.resolved = std::span<const IpAddress>(resolved.addresses);
  }

  Worker& worker = exchange.worker();
  AddressRuling ruling = remote ? DecideRemote(worker, &exchange.record(), admission, facts, hop->target)
                                : DecideAddress(worker, &exchange.record(), admission, facts);
  if (!ruling.permit) {
    Reached out;
    out.refusal = DenialReply(exchange, ruling.decision);
    co_return out;
  }
  const Connection& connection = exchange.connection();
  if (MustDialOriginal(connection) && !ruling.permit->Narrow(connection.original_destination->address)) {
    Reached out;
    out.refusal = DenialReply(exchange, Policy::OtherAddress(Stage::kAddress));
    co_return out;
  }
  RecordDecision(exchange.worker(), exchange.record(), ruling.decision);

  Reached out;
  out.binding = ruling.permit->binding();
  out.request = std::move(ruling.request);
  if (hop != nullptr) exchange.record().next_hop = hop->target.name();
  DialOutcome outcome = co_await DialRecorded(exchange.worker(), exchange.record(),
                                              DialFor(exchange, std::move(*ruling.permit), hop, options));
  if (!outcome.dialled) co_return Refused(exchange, outcome.fault);
  out.dialled = std::move(outcome.dialled);
  co_return out;
}

}  // namespace egret
