#include "source/filters/forward_router.h"

#include <optional>
#include <string>
#include <utility>

#include "source/base/strings.h"
#include "source/chain/exchange.h"
#include "source/chain/local_reply.h"
#include "source/event/combine.h"
#include "source/filters/tcp_relay.h"
#include "source/filters/upstream_call.h"
#include "source/filters/upstream_way.h"
#include "source/http/hop.h"
#include "source/http/websocket.h"
#include "source/upstream/extended_connect.h"

namespace egret {
namespace {

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
void PrepareHead(Exchange& exchange, bool may_speak_http1) {
  Head& head = exchange.request.head;
  head.Set(FieldName::kHost, exchange.target->Authority(exchange.default_port()));
  AddVia(head, exchange.via);
  if (EqualsIgnoreCase(exchange.upgrade, kWebSocket)) {
    AddWebSocketOffer(head);
    if (may_speak_http1 || MaySwitchInHttp2(exchange)) return;
    head.Remove(FieldName::kUpgrade);
  }
  exchange.upgrade = {};  // a protocol that nobody here can police (h2c among them): the request goes on without
}

// The form that whoever stands at the link's end wants. A parent's credentials are for the parent only.
void AddressHead(Exchange& exchange, const NextHop* parent, bool http2, bool asterisk) {
  Head& head = exchange.request.head;
  head.Remove(FieldName::kProxyAuthorization);
  head.scheme = exchange.secure ? "https" : "http";
  if (parent == nullptr) {
    head.form = asterisk ? TargetForm::kAsterisk : TargetForm::kOrigin;
    if (asterisk) head.path = "*";
    return;
  }
  head.form = TargetForm::kAbsolute;
  if (asterisk) head.path = http2 ? "*" : "";  // RFC 9113 8.3.1, RFC 9112 3.2.4
  head.authority = head.Keep(exchange.target->Authority(exchange.default_port()));
  if (parent->authorization != nullptr) head.Set(FieldName::kProxyAuthorization, *parent->authorization->Get());
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
    if (exchange.bare_interims && head->status != 100) continue;
    if (exchange.bare_interims) head->RemoveIf([](const Field&) { return true; });
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

bool NoHttp2There(Exchange& exchange, Failure failure) {
  return failure.fault == Fault::kUpstreamHttp2 && !exchange.record().upstream_reused;
}

// The client spoke HTTP/2 in clear inside its tunnel, so it was taken for what the origin speaks.
bool Misled(Exchange& exchange, Failure failure) {
  return NoHttp2There(exchange, failure) && !exchange.secure && exchange.connection().target.has_value();
}

// Who speaks no HTTP/2, or no extended CONNECT, does so on no other connection either; HTTP/1.1 may be left.
bool MayRepeat(Exchange& exchange, const UpstreamRequest& request, Failure failure, bool may_speak_http1) {
  const bool lacks = failure.fault == Fault::kUpstreamBadUpgrade || NoHttp2There(exchange, failure);
  const bool http1_is_left = may_speak_http1 && (!exchange.upgrade.empty() || Misled(exchange, failure));
  if (lacks && !http1_is_left) return false;
  return request.MayRepeat(IsIdempotent(exchange.request.head.method));
}

// Whoever was not believed, or did not believe, in TLS says so behind the handshake; the connection's end tells less.
Failure WhyOf(Exchange& exchange, const UpstreamRequest& request, Failure failure) {
  const TlsOutcome end = request.tls_end();
  if (failure.side != Side::kUpstream || end.fault == Fault::kNone) return failure;
  exchange.record().tls_detail = end.detail;
  return {Side::kUpstream, end.fault};
}

Response Switch(Exchange& exchange, UpstreamCall& call, Head head, const RelayLimits& limits) {
  // RFC 9110 7.8: only to what was offered, and not before the whole request is there.
  const Head& asked = exchange.request.head;
  if (!AcceptsWebSocket(asked, head) || !call.request().upload_complete())
    return LocalReply(exchange, {Side::kUpstream, Fault::kUpstreamBadUpgrade});
  if (const Failure failure = StripHopByHop(head)) return LocalReply(exchange, {Side::kUpstream, failure.fault});
  AddVia(head, exchange.via);
  TellOfWebSocket(asked, head);
  exchange.record().carries = kWebSocket;
  Response response;
  response.head = std::move(head);
  const std::shared_ptr<UpstreamRequest> request = call.Take();
  response.takeover = MakeRelay(request->TakeStream(), limits, exchange.facts_of_upgrade());
  exchange.record().Hold(request);  // its place is taken until the tunnel ends
  return response;
}

Response Finish(Exchange& exchange, UpstreamCall& call, Head head, bool to_parent, const RelayLimits& upgraded) {
  const ExchangeRecord& record = exchange.record();
  exchange.record().first_byte_ms = static_cast<int64_t>(exchange.worker().loop().now_ms() - record.started_ms);
  if (head.status == 101) return Switch(exchange, call, std::move(head), upgraded);
  // To an extended CONNECT it would say that there is a tunnel.
  if (!exchange.request.head.protocol.empty() && head.status < 300)
    return LocalReply(exchange, {Side::kUpstream, Fault::kUpstreamBadUpgrade});
  if (head.status == 407)  // whoever asked, it was not for this client to hear (RFC 9110 11.7.1)
    return LocalReply(exchange, {Side::kUpstream, to_parent ? Fault::kParentAuth : Fault::kUpstreamUnasked407});
  if (const Failure failure = StripHopByHop(head)) return LocalReply(exchange, {Side::kUpstream, failure.fault});
  // Another way to the same origin would be one past this proxy (RFC 7838).
  if (exchange.connection().decrypted()) head.Remove("Alt-Svc");
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
  const bool may_speak_http1 = options_.http2 != ForwardRouterOptions::Http2::kAlways;
  PrepareHead(exchange, may_speak_http1);
  OriginRoute route = RouteOf(exchange, options_);
  for (Attempt attempt;;) {
    UpstreamWay way = co_await FindWay(exchange, route, options_, attempt);
    if (way.refusal) co_return std::move(*way.refusal);
    exchange.sent_to.emplace();
    if (!ParentResolves(route.hop)) exchange.sent_to->peer = way.request->peer().address;
    const bool http2 = way.request->protocol() == "HTTP/2";
    AddressHead(exchange, way.to_parent ? route.hop : nullptr, http2, asterisk);
    if (http2 && !exchange.upgrade.empty()) way.request = AsExtendedConnect(std::move(way.request));
    auto owned = std::make_unique<UpstreamCall>(std::move(way.request));
    UpstreamCall& call = *owned;
    exchange.Own(std::move(owned));
    Result<Head, Failure> head = co_await Send(exchange, call, options_.continue_ms);
    if (head) co_return Finish(exchange, call, std::move(*head), way.to_parent, options_.upgraded);
    if (attempt.second || !MayRepeat(exchange, call.request(), head.error(), may_speak_http1))
      co_return LocalReply(exchange, WhyOf(exchange, call.request(), head.error()));
    attempt = {true, call.request().number()};
    exchange.nursery().Clear();  // before the call that it uses
    if (Misled(exchange, head.error())) exchange.connection().speaks_http1 = true;
    route = RouteOf(exchange, options_, exchange.upgrade.empty() ? Versions::kAny : Versions::kHttp1);
  }
}

}  // namespace egret
