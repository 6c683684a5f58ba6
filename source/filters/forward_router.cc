#include "source/filters/forward_router.h"

#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "source/base/check.h"
#include "source/base/strings.h"
#include "source/chain/connection.h"
#include "source/chain/exchange.h"
#include "source/chain/local_reply.h"
#include "source/event/combine.h"
#include "source/filters/reach.h"
#include "source/filters/tcp_relay.h"
#include "source/filters/upstream_call.h"
#include "source/http/hop.h"

namespace egret {
namespace {

constexpr uint16_t kHttpPort = 80;

bool ParentResolves(const NextHop* hop) { return hop != nullptr && hop->resolve == NextHop::Resolve::kRemote; }

bool IsIdempotent(std::string_view method) {  // RFC 9110 9.2.2
  for (const std::string_view known : {"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
    if (method == known) return true;
  return false;
}

// RFC 9110 7.6.2: a reply of our own where the request may go no further.
std::optional<Response> SpendMaxForwards(Head& head) {
  if (head.method != "OPTIONS") return std::nullopt;
  const Field* field = head.Find(FieldName::kMaxForwards);
  const auto left = field != nullptr ? ParseDecimal<uint32_t>(field->value) : std::nullopt;
  if (!left) return std::nullopt;
  if (*left == 0) return PlainReply(200, "");
  head.Set(FieldName::kMaxForwards, Cat(*left - 1));
  return std::nullopt;
}

// The head as it leaves on any link: Host made anew from what was decided on.
void PrepareHead(Exchange& exchange) {
  Head& head = exchange.request.head;
  head.Set(FieldName::kHost, exchange.target->Authority(kHttpPort));
  AddVia(head, exchange.via);
  if (EqualsIgnoreCase(exchange.upgrade, "websocket")) {
    head.Add(FieldName::kUpgrade, "websocket");
  } else {
    exchange.upgrade = {};  // a protocol that nobody here can police (h2c among them): the request goes on without
  }
}

struct Way {
  std::unique_ptr<UpstreamRequest> request;
  bool to_parent = false;  // it leads to a parent that resolves names; else to the origin, maybe through a parent
  std::optional<Response> refusal;
};

Way RefusedWay(Response refusal) {
  Way way;
  way.refusal = std::move(refusal);
  return way;
}

// The form that whoever stands at the link's end wants. A parent's credentials are for the parent only.
void AddressHead(Exchange& exchange, const NextHop* parent, bool asterisk) {
  Head& head = exchange.request.head;
  head.Remove(FieldName::kProxyAuthorization);
  head.scheme = "http";
  if (parent == nullptr) {
    head.form = asterisk ? TargetForm::kAsterisk : TargetForm::kOrigin;
    if (asterisk) head.path = "*";
    return;
  }
  head.form = TargetForm::kAbsolute;
  if (asterisk) head.path = "";
  head.authority = head.Keep(exchange.target->Authority(kHttpPort));
  if (!parent->authorization.empty()) head.Set(FieldName::kProxyAuthorization, parent->authorization);
}

// In clear nothing says which version an origin speaks but the client: one that begins with HTTP/2 inside its tunnel
// knows that the origin does (RFC 9113 3.3), and gRPC is spoken in nothing else.
bool WantsHttp2(Exchange& exchange) {
  const Head& head = exchange.request.head;
  if (head.version != Version::kHttp2 || !exchange.upgrade.empty()) return false;
  if (exchange.connection().target) return true;
  const Field* type = head.Find("Content-Type");
  return type != nullptr && type->value.starts_with("application/grpc");
}

PoolKey ParentKey(const NextHop& hop) { return Cat("parent ", hop.target.name()); }
PoolKey OriginKey(Exchange& exchange, const NextHop* hop) {
  std::string key = exchange.target->ToString();
  if (WantsHttp2(exchange)) key += " h2c";
  const Connection& connection = exchange.connection();
  if (MustDialOriginal(connection)) Append(key, " at ", connection.original_destination->address.ToString());
  return hop != nullptr ? Cat("tunnel ", hop->target.name(), ' ', key) : key;
}

Ruling<RequestPermit> AdmitLink(Exchange& exchange, const Admission& admission, const NextHop* hop,
                                const IpAddress& peer) {
  const Policy& policy = exchange.worker().policy();
  if (ParentResolves(hop)) return policy.AdmitRemote(admission, exchange.facts(), hop->target);
  return policy.Admit(admission, exchange.facts(), peer);
}

std::unique_ptr<UpstreamRequest> TakeAdmitted(Exchange& exchange, const Admission& admission, const PoolKey& key,
                                              const ForwardRouterOptions& options) {
  const NextHop* hop = options.next_hop.get();
  std::optional<Decision> agreed;
  const auto admits = [&](const IpAddress& peer) {
    Ruling<RequestPermit> ruling = AdmitLink(exchange, admission, hop, peer);
    if (ruling.permit) agreed = std::move(ruling.decision);
    return ruling.permit.has_value();
  };
  std::unique_ptr<UpstreamRequest> request =
      TakePooled(exchange.worker().pool(), key, std::ref(admits), options.limits.pool);
  if (request == nullptr) return nullptr;
  RecordDecision(exchange.worker(), exchange.record(), *agreed);
  ExchangeRecord& record = exchange.record();
  record.upstream = request->peer().ToString();
  record.upstream_reused = true;
  if (hop != nullptr) record.next_hop = hop->target.name();
  exchange.worker().counters().upstream_reused.Add();
  return request;
}

std::unique_ptr<UpstreamRequest> Begin(Exchange& exchange, PoolPlace place, Dialled dialled,
                                       const RequestPermit& permit, const UpstreamLimits& limits, bool http2) {
  const Endpoint peer = dialled.peer();
  std::unique_ptr<Stream> stream = std::move(dialled).Open(permit);
  UpstreamPool& pool = exchange.worker().pool();
  return http2 ? BeginHttp2(pool, std::move(place), std::move(stream), peer, limits)
               : BeginHttp1(pool, std::move(place), std::move(stream), peer, limits);
}

// Inside a tunnel whose own connection is gone, the target is admitted anew; outside, egress_policy has done it.
std::optional<Response> EnsureAdmission(Exchange& exchange) {
  if (exchange.admission) return std::nullopt;
  Connection& connection = exchange.connection();
  Ruling<Admission> ruling = exchange.worker().policy().DecideTarget(connection.policies.value_or(PolicyStack()),
                                                                     exchange.facts(), Ask::kRequest);
  if (!ruling.permit) return DenialReply(exchange, ruling.decision);
  exchange.admission = std::move(ruling.permit);
  return std::nullopt;
}

// The tunnel's own connection, which was dialled for its CONNECT: it leads to the origin, through whatever parent.
Way TakeTunnels(Exchange& exchange, const ForwardRouterOptions& options) {
  Connection& connection = exchange.connection();
  Way way;
  way.request = Begin(exchange, exchange.worker().pool().Enter(OriginKey(exchange, options.next_hop.get())),
                      std::move(*connection.upstream), *exchange.permit, options.limits, WantsHttp2(exchange));
  connection.upstream.reset();
  exchange.record().upstream = way.request->peer().ToString();
  return way;
}

// Where a parent resolves, a tunnel's requests first look for a connection like the tunnel's own.
Way TakeAnyPooled(Exchange& exchange, const ForwardRouterOptions& options) {
  const NextHop* hop = options.next_hop.get();
  Way way;
  if (!ParentResolves(hop) || exchange.connection().target)
    way.request = TakeAdmitted(exchange, *exchange.admission, OriginKey(exchange, hop), options);
  if (way.request == nullptr && ParentResolves(hop)) {
    way.request = TakeAdmitted(exchange, *exchange.admission, ParentKey(*hop), options);
    way.to_parent = true;
  }
  return way;
}

// A connection to send this request on: the tunnel's own, one from the pool, or a new one.
Task<Way> Obtain(Exchange& exchange, const ForwardRouterOptions& options, bool fresh) {
  const NextHop* hop = options.next_hop.get();
  if (exchange.connection().upstream && exchange.permit) co_return TakeTunnels(exchange, options);
  if (std::optional<Response> refusal = EnsureAdmission(exchange)) co_return RefusedWay(std::move(*refusal));
  if (!fresh) {
    if (Way way = TakeAnyPooled(exchange, options); way.request != nullptr) co_return way;
  }
  Way way;
  way.to_parent = ParentResolves(hop);
  std::optional<PoolPlace> place =
      exchange.worker().pool().Claim(way.to_parent ? ParentKey(*hop) : OriginKey(exchange, hop), options.limits.pool);
  if (!place) co_return RefusedWay(LocalReply(exchange, {Side::kUpstream, Fault::kPoolLimit}));
  Reached reached = co_await Reach(exchange, *exchange.admission, hop, options.dial);
  if (reached.refusal) co_return RefusedWay(std::move(*reached.refusal));
  CHECK(reached.request.has_value());
  exchange.record().upstream_reused = false;
  way.request = Begin(exchange, std::move(*place), std::move(*reached.dialled), *reached.request, options.limits,
                      !way.to_parent && WantsHttp2(exchange));
  co_return way;
}

// Sends the request's body beside everything else. Where the client may be waiting for 100, the origin's word is
// awaited, for a moment; bytes that are here already wait for nobody.
Task<void> Upload(Exchange& exchange, UpstreamCall& call, uint64_t continue_ms) {
  if (exchange.expectation == Expectation::kPending && !exchange.request.body->Ready()) {
    if (!co_await GateWithin(call.proceed(), continue_ms) && exchange.expectation == Expectation::kPending) {
      exchange.expectation = Expectation::kAnswered;
      Head interim;
      interim.status = 100;
      co_await exchange.Inform(interim);
    }
  }
  const UploadEnd end = co_await call.request().Upload(*exchange.request.body);
  if (end.kind == UploadEnd::kClientFailed) exchange.End(end.why);
}

// Passes interim responses on and gives the final head.
Task<Result<Head, Failure>> FinalHead(Exchange& exchange, UpstreamCall& call) {
  for (;;) {
    Result<Head, Failure> head = co_await call.request().ReadHead();
    if (!head || head->status >= 200 || head->status == 101) co_return head;
    if (head->status == 100) {
      const bool asked = exchange.expectation == Expectation::kPending;
      call.proceed().Open();
      if (!asked) continue;  // said already, or never asked for
      exchange.expectation = Expectation::kAnswered;
    }
    if (const Failure failure = StripHopByHop(*head)) co_return failure;
    if (const Failure failure = co_await exchange.Inform(*head)) co_return failure;
  }
}

Task<Result<Head, Failure>> Send(Exchange& exchange, UpstreamCall& call, uint64_t continue_ms) {
  Request& request = exchange.request;
  const bool withhold = exchange.expectation == Expectation::kPending && !request.body->Ready();
  if (const Failure failure = co_await call.request().SendHead(request.head, request.body.get(), withhold))
    co_return failure;
  if (request.body && !call.request().upload_complete()) exchange.nursery().Start(Upload(exchange, call, continue_ms));
  co_return co_await FinalHead(exchange, call);
}

Response Switch(Exchange& exchange, UpstreamCall& call, Head head, const RelayLimits& limits) {
  // RFC 9110 7.8: only to what was offered, and not before the whole request is there.
  const Field* upgrade = head.Find(FieldName::kUpgrade);
  if (upgrade == nullptr || !EqualsIgnoreCase(upgrade->value, exchange.upgrade) || !call.request().upload_complete())
    return LocalReply(exchange, {Side::kUpstream, Fault::kUpstreamBadUpgrade});
  if (const Failure failure = StripHopByHop(head)) return LocalReply(exchange, {Side::kUpstream, failure.fault});
  AddVia(head, exchange.via);
  head.Add(FieldName::kUpgrade, exchange.upgrade);
  Response response;
  response.head = std::move(head);
  const std::shared_ptr<UpstreamRequest> request = call.Take();
  response.takeover = MakeRelay(request->TakeStream(), limits);
  exchange.record().Hold(request);  // its place is taken until the tunnel ends
  return response;
}

Response Finish(Exchange& exchange, UpstreamCall& call, Head head, bool to_parent, const RelayLimits& upgraded) {
  const ExchangeRecord& record = exchange.record();
  exchange.record().first_byte_ms = static_cast<int64_t>(exchange.worker().loop().now_ms() - record.started_ms);
  if (head.status == 101) return Switch(exchange, call, std::move(head), upgraded);
  if (head.status == 407)  // whoever asked, it was not for this client to hear (RFC 9110 11.7.1)
    return LocalReply(exchange, {Side::kUpstream, to_parent ? Fault::kParentAuth : Fault::kUpstreamUnasked407});
  if (const Failure failure = StripHopByHop(head)) return LocalReply(exchange, {Side::kUpstream, failure.fault});
  AddVia(head, exchange.via);
  EnsureDate(head);
  Response response;
  response.head = std::move(head);
  response.body = call.request().ResponseBody();
  return response;
}

}  // namespace

Task<Response> ForwardRouterFilter::Handle(Exchange& exchange, HttpNext /*terminal*/) const {
  if (exchange.connect()) co_return LocalReply(exchange, {Side::kEgret, Fault::kNoChain});
  if (std::optional<Response> spent = SpendMaxForwards(exchange.request.head)) co_return std::move(*spent);
  const bool asterisk = exchange.request.head.path == "*";  // OPTIONS for the server as a whole (RFC 9112 3.2.4)
  PrepareHead(exchange);
  for (bool retry = false;; retry = true) {
    Way way = co_await Obtain(exchange, options_, retry);
    if (way.refusal) co_return std::move(*way.refusal);
    AddressHead(exchange, way.to_parent ? options_.next_hop.get() : nullptr, asterisk);
    auto owned = std::make_unique<UpstreamCall>(std::move(way.request));
    UpstreamCall& call = *owned;
    exchange.Own(std::move(owned));
    Result<Head, Failure> head = co_await Send(exchange, call, options_.continue_ms);
    if (head) co_return Finish(exchange, call, std::move(*head), way.to_parent, options_.upgraded);
    if (retry || !call.request().MayRepeat(IsIdempotent(exchange.request.head.method)))
      co_return LocalReply(exchange, head.error());
    exchange.nursery().Clear();  // before the call that it uses
  }
}

}  // namespace egret
