#include "source/filters/upstream_way.h"

#include <functional>
#include <utility>

#include "source/base/check.h"
#include "source/chain/connection.h"
#include "source/chain/decide.h"
#include "source/chain/local_reply.h"
#include "source/filters/reach.h"
#include "source/filters/recorded.h"
#include "source/tls/tls_stream.h"

namespace egret {
namespace {

using Http2 = OriginRoute::Http2;

UpstreamWay Refused(Response refusal) {
  UpstreamWay way;
  way.refusal = std::move(refusal);
  return way;
}
UpstreamWay Failed(Exchange& exchange, Fault fault) { return Refused(LocalReply(exchange, {Side::kUpstream, fault})); }

void Describe(ExchangeRecord& record, const UpstreamRequest& request) {
  record.upstream = request.peer().ToString();
  record.upstream_protocol = request.protocol();
  record.upstream_tls_version = request.tls_version();
  record.upstream_key = request.tls_key();
  record.upstream_reused = request.reused();
}

// Inside a tunnel whose own connection is gone, the target is admitted anew; outside, egress_policy has done it.
std::optional<Response> EnsureAdmission(Exchange& exchange) {
  if (exchange.admission) return std::nullopt;
  Connection& connection = exchange.connection();
  Ruling<Admission> ruling = DecideTarget(exchange.worker(), &exchange.record(),
                                          connection.policies.value_or(PolicyStack()), exchange.facts(), Ask::kRequest);
  if (!ruling.permit) return DenialReply(exchange, ruling.decision);
  exchange.admission = std::move(ruling.permit);
  return std::nullopt;
}

// --- From the pool

Ruling<RequestPermit> AdmitLink(Exchange& exchange, const NextHop* hop, const IpAddress& peer) {
  const Policy& policy = exchange.worker().policy();
  if (ParentResolves(hop)) return policy.AdmitRemote(*exchange.admission, exchange.facts(), hop->target);
  return policy.Admit(*exchange.admission, exchange.facts(), peer);
}

void PreviewTaken(Exchange& exchange, const NextHop* hop, const IpAddress& peer, const Decision& agreed) {
  if (exchange.worker().preview() == nullptr) return;
  if (ParentResolves(hop)) {
    PreviewAdmitted(exchange.worker(), &exchange.record(), *exchange.admission, exchange.facts(), hop->target, agreed);
  } else {
    PreviewAdmitted(exchange.worker(), &exchange.record(), *exchange.admission, exchange.facts(), peer, agreed);
  }
}

std::unique_ptr<UpstreamRequest> TakeAdmitted(Exchange& exchange, const PoolKey& key, const OriginRoute& route,
                                              const PoolLimits& limits, Attempt attempt) {
  std::optional<Decision> agreed;
  const auto admits = [&](const IpAddress& peer) {
    Ruling<RequestPermit> ruling = AdmitLink(exchange, route.hop, peer);
    if (ruling.permit) agreed = std::move(ruling.decision);
    return ruling.permit.has_value();
  };
  UpstreamPool& pool = exchange.worker().pool();
  std::unique_ptr<UpstreamRequest> request = attempt.second ? TakeNewer(pool, key, std::ref(admits), attempt.after)
                                                            : TakePooled(pool, key, std::ref(admits), limits);
  if (request == nullptr) return nullptr;
  RecordDecision(exchange.worker(), exchange.record(), *agreed);
  PreviewTaken(exchange, route.hop, request->peer().address, *agreed);
  Describe(exchange.record(), *request);
  if (route.hop != nullptr) exchange.record().next_hop = route.hop->target.name();
  if (request->reused()) exchange.worker().counters().upstream_reused.Add();
  return request;
}

// Where a parent resolves, a tunnel's requests first look for a connection like the tunnel's own.
UpstreamWay TakeAnyPooled(Exchange& exchange, const OriginRoute& route, const PoolLimits& limits, Attempt attempt) {
  UpstreamWay way;
  if (!route.to_parent || exchange.connection().target)
    way.request = TakeAdmitted(exchange, route.key, route, limits, attempt);
  if (way.request == nullptr && route.to_parent) {
    way.request = TakeAdmitted(exchange, route.parent_key, route, limits, attempt);
    way.to_parent = true;
  }
  return way;
}

// --- A new one

const PoolKey& DialKey(const OriginRoute& route) { return route.to_parent ? route.parent_key : route.key; }

// What is spoken inside: agreed on within TLS, else by prior knowledge.
bool SpeaksHttp2(const OriginRoute& route, const TlsStream* tls) {
  return tls != nullptr ? tls->alpn() == kAlpnHttp2 : route.http2 == Http2::kOnly;
}

std::unique_ptr<UpstreamRequest> Begin(Exchange& exchange, const NextHop* hop, NewLink made, bool http2,
                                       const UpstreamLimits& limits) {
  UpstreamPool& pool = exchange.worker().pool();
  const Connection& connection = exchange.connection();
  if (http2 && connection.decrypted())
    pool.known_keys().Remember(OriginOf(exchange.identity.get(), *exchange.target, hop), made.place.key());
  std::unique_ptr<UpstreamRequest> request =
      http2 ? BeginHttp2(pool, std::move(made), limits) : BeginHttp1(pool, std::move(made), limits);
  Describe(exchange.record(), *request);
  return request;
}

// The first request on a connection that leads to the origin.
Task<UpstreamWay> BeginAtOrigin(Exchange& exchange, const OriginRoute& route, const ForwardRouterOptions& options,
                                NewLink made) {
  if (route.tls && made.tls == nullptr) {
    const TlsOutcome outcome = co_await ShakeHands(made.stream, *route.tls, options.dial.connect_timeout_ms);
    RecordHandshake(exchange.worker(), exchange.record(), outcome);
    if (outcome.fault != Fault::kNone) co_return Failed(exchange, outcome.fault);
    made.tls = static_cast<const TlsStream*>(made.stream.get());
  }
  const bool http2 = SpeaksHttp2(route, made.tls);
  UpstreamWay way;
  way.request = Begin(exchange, route.hop, std::move(made), http2, options.limits);
  co_return way;
}

// The tunnel's own connection, which was dialled for its CONNECT: it leads to the origin, through whatever parent.
[[clang::coro_wrapper]] Task<UpstreamWay> TakeTunnels(Exchange& exchange, const OriginRoute& route,
                                                      const ForwardRouterOptions& options) {
  UpstreamPool& pool = exchange.worker().pool();
  Dialled dialled = std::move(*exchange.connection().upstream);
  exchange.connection().upstream.reset();
  const TlsStream* const tls = dialled.tls();
  const Endpoint peer = dialled.peer();
  NewLink made{pool.Enter(route.key),
               std::move(dialled).Open(*exchange.permit),
               peer,
               tls,
               route.may_share() ? pool.turns().Take(route.key) : std::nullopt,
               tls != nullptr};
  return BeginAtOrigin(exchange, route, options, std::move(made));
}

Task<UpstreamWay> Dial(Exchange& exchange, const OriginRoute& route, const ForwardRouterOptions& options,
                       std::optional<DialTurn> turn) {
  std::optional<PoolPlace> place = exchange.worker().pool().Claim(DialKey(route), options.limits.pool);
  if (!place) co_return Failed(exchange, Fault::kPoolLimit);
  Reached reached = co_await Reach(exchange, *exchange.admission, route.hop, options.dial);
  if (reached.refusal) co_return Refused(std::move(*reached.refusal));
  CHECK(reached.request.has_value());
  const TlsStream* const tls = reached.dialled->tls();
  const Endpoint peer = reached.dialled->peer();
  NewLink made{std::move(*place), std::move(*reached.dialled).Open(*reached.request), peer, tls, std::move(turn)};
  if (!route.to_parent) co_return co_await BeginAtOrigin(exchange, route, options, std::move(made));
  const bool http2 = tls != nullptr && tls->alpn() == kAlpnHttp2;
  UpstreamWay way;
  way.to_parent = true;
  way.request = Begin(exchange, route.hop, std::move(made), http2, options.limits);
  co_return way;
}

// Whether the tunnel's own connection can have this request: one over which another version was agreed on cannot, and
// one that ended meanwhile is given up.
bool FitsTunnels(Exchange& exchange, const OriginRoute& route) {
  std::optional<Dialled>& upstream = exchange.connection().upstream;
  if (upstream && upstream->EndedSilently()) upstream.reset();
  if (!upstream || !exchange.permit) return false;
  if (upstream->tls() == nullptr) return true;
  return route.http2 != (upstream->tls()->alpn() == kAlpnHttp2 ? Http2::kNo : Http2::kOnly);
}

}  // namespace

Task<UpstreamWay> FindWay(Exchange& exchange, const OriginRoute& route, const ForwardRouterOptions& options,
                          Attempt attempt) {
  if (FitsTunnels(exchange, route)) co_return co_await TakeTunnels(exchange, route, options);
  if (std::optional<Response> refusal = EnsureAdmission(exchange)) co_return Refused(std::move(*refusal));
  DialTurns& turns = exchange.worker().pool().turns();
  const Loop& loop = exchange.worker().loop();
  const uint64_t due_ms = loop.now_ms() + options.dial.connect_timeout_ms;
  const bool may_share = route.to_parent ? route.may_share_parent() : route.may_share();
  for (;;) {
    if (UpstreamWay way = TakeAnyPooled(exchange, route, options.limits.pool, attempt); way.request != nullptr)
      co_return way;
    if (!may_share || turns.SpeaksHttp1(DialKey(route))) break;
    if (std::optional<DialTurn> turn = turns.Take(DialKey(route)))
      co_return co_await Dial(exchange, route, options, std::move(turn));
    if (loop.now_ms() >= due_ms) co_return Failed(exchange, Fault::kConnectTimeout);
    if (std::optional<DialTurn> turn = co_await turns.Wait(DialKey(route), due_ms - loop.now_ms()))
      co_return co_await Dial(exchange, route, options, std::move(turn));
  }
  co_return co_await Dial(exchange, route, options, std::nullopt);
}

}  // namespace egret
