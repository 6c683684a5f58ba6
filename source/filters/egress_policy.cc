#include "source/filters/egress_policy.h"

#include <utility>

#include "source/chain/connection.h"
#include "source/chain/decide.h"
#include "source/chain/exchange.h"
#include "source/chain/local_reply.h"
#include "source/filters/shown_name.h"
#include "source/filters/transparent.h"

namespace egret {
namespace {

// Nothing allowed where no policy was ever met: an empty stack denies.
const PolicyStack& StackOf(Connection& connection, const std::optional<PolicyStack>& own) {
  if (!connection.policies) connection.policies = own.value_or(PolicyStack());
  return *connection.policies;
}

}  // namespace

EgressPolicyHttpFilter::EgressPolicyHttpFilter(std::optional<PolicyStack> policies) : policies_(std::move(policies)) {}

Task<Response> EgressPolicyHttpFilter::Handle(Exchange& exchange, HttpNext next) const {
  Connection& connection = exchange.connection();
  const PolicyStack& stack = StackOf(connection, policies_);
  Decision decision;
  if (connection.binding) {
    Ruling<RequestPermit> ruling =
        DecideRequest(exchange.worker(), &exchange.record(), *connection.binding, stack, exchange.facts());
    exchange.permit = std::move(ruling.permit);
    decision = std::move(ruling.decision);
  } else {
    Ruling<Admission> ruling = DecideTarget(exchange.worker(), &exchange.record(), stack, exchange.facts(),
                                            exchange.connect() ? Ask::kTunnel : Ask::kRequest);
    exchange.admission = std::move(ruling.permit);
    decision = std::move(ruling.decision);
    if (exchange.admission) exchange.may_identify = false;  // whoever it is: nothing more will be asked
  }
  if (decision.denied()) co_return DenialReply(exchange, decision);
  RecordDecision(exchange.worker(), exchange.record(), decision);
  co_return co_await next(exchange);
}

EgressPolicyNetworkFilter::EgressPolicyNetworkFilter(std::optional<PolicyStack> policies)
    : policies_(std::move(policies)) {}

namespace {

// Stage H. What it decides is in the connection: a permit of one kind, or none.
Decision DecideTunnel(Connection& connection, const PolicyStack& stack) {
  ExchangeRecord* const record = connection.record ? &*connection.record : nullptr;
  HelloRuling ruling = DecideHello(connection.worker, record, *connection.binding, stack, FactsOf(connection));
  if (connection.record) RecordDecision(connection.worker, *connection.record, ruling.decision);
  connection.relay_permit = std::move(ruling.relay);
  connection.inspect_permit = std::move(ruling.inspect);
  return std::move(ruling.decision);
}

[[clang::coro_wrapper]] Task<void> RunTunnel(Connection& connection, const PolicyStack& stack, NetworkNext next) {
  if (const Decision decision = DecideTunnel(connection, stack); decision.denied())
    return RefuseTunnel(connection, decision);
  return next(connection);
}

Task<void> RunNamed(Connection& connection, PolicyStack stack, NetworkNext next) {
  if (co_await LearnShownName(connection, stack)) co_await RunTunnel(connection, stack, next);
}

Task<void> RunTransparent(Connection& connection, PolicyStack stack, NetworkNext next) {
  if (co_await DecideTransparent(connection, stack)) co_await next(connection);
}

}  // namespace

Task<void> EgressPolicyNetworkFilter::Handle(Connection& connection, NetworkNext next) const {
  const PolicyStack& stack = StackOf(connection, policies_);
  if (!connection.binding && connection.original_destination) return RunTransparent(connection, stack, next);
  if (!connection.binding) return RefuseTunnel(connection, {Side::kEgret, Fault::kNoChain});
  if (ShowsName(connection)) return RunNamed(connection, stack, next);
  return RunTunnel(connection, stack, next);
}

}  // namespace egret
