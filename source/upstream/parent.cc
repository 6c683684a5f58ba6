#include "source/upstream/parent.h"

#include <optional>
#include <utility>

#include "source/http/http1_client.h"
#include "source/io/prefixed_stream.h"
#include "source/upstream/request.h"

namespace egret {
namespace {

// An operator's own address: configured, so no guard judges it.
Task<DialResult> DialConfigured(const Target& target, Resolver& resolver, const DialOptions& options) {
  const Result<Resolved, Fault> resolved = co_await resolver.Resolve(target.host);
  if (!resolved) {
    DialResult failed;
    failed.fault = resolved.error();
    co_return failed;
  }
  co_return co_await DialAny(resolved->addresses, target.port, options);
}

Fault FaultOfParent(Failure failure) {
  switch (failure.fault) {
    case Fault::kUpstreamMalformed:
    case Fault::kUpstreamFraming:
    case Fault::kUpstreamHeaderTooLarge:
    case Fault::kUpstreamTooManyInterim:
      return Fault::kParentMalformed;
    default:
      return failure.fault;
  }
}

Head ConnectHead(const NextHop& hop, const std::string& authority, const std::string& via) {
  Head head;
  head.method = "CONNECT";
  head.form = TargetForm::kAuthority;
  head.authority = head.Keep(authority);
  head.Add(FieldName::kHost, authority);
  if (!via.empty()) head.Add(FieldName::kVia, via);
  if (hop.authorization != nullptr) head.Add(FieldName::kProxyAuthorization, *hop.authorization->Get());
  return head;
}

// Asks for the tunnel. What follows a 2xx is the tunnel's; framing fields of such an answer mean nothing (RFC 9110
// 9.3.6).
template <class Client>
Task<Answer> AskForTunnel(Client& client, const Head& request) {
  if (const Failure failure = co_await client.SendHead(request, nullptr, false))
    co_return Answer{FaultOfParent(failure)};
  for (;;) {
    const Result<Head, Failure> head = co_await client.ReadHead();
    if (!head) co_return Answer{FaultOfParent(head.error())};
    if (head->status / 100 == 1) continue;
    if (head->status == 407) co_return Answer{Fault::kParentAuth, head->status};
    if (head->status / 100 != 2) co_return Answer{Fault::kParentRefused, head->status};
    co_return Answer{Fault::kNone, head->status};
  }
}

// In TLS 1.3 a client hears only behind its handshake that it is not believed.
void HearLateAlert(TlsOutcome end, Asked& asked) {
  if (asked.answer.fault == Fault::kNone || end.fault == Fault::kNone) return;
  asked.answer.fault = end.fault;
  asked.parent_reached = false;
  if (asked.handshakes.empty()) return;
  asked.handshakes.back() = std::move(end);
}

// --- HTTP/1.1: the whole connection

Task<void> AskOverHttp1(ParentLink link, const ParentAccess& access, const Head& request, Asked& asked) {
  Http1ClientLimits limits;
  limits.head_ms = access.options.connect_timeout_ms;
  std::string unparsed;
  {
    Http1Client client(*link.stream, limits);
    asked.answer = co_await AskForTunnel(client, request);
    unparsed = client.TakeUnparsed();
  }
  HearLateAlert(EndOf(link.tls), asked);
  if (asked.answer.fault == Fault::kNone) asked.stream = WithPrefix(std::move(unparsed), std::move(link.stream));
}

// --- HTTP/2: a stream

// A request on a connection that is shared, one made after that number; or else a connection of HTTP/1.1 or none.
struct Shared {
  std::unique_ptr<UpstreamRequest> request;
  ParentLink link;
};

Task<Shared> DialToShare(const ParentAccess& access, std::optional<DialTurn> turn) {
  Shared out;
  out.link = co_await ReachParent(access.hop, access.resolver, access.options, true);
  if (out.link.stream == nullptr) co_return out;
  if (out.link.tls->alpn() != kAlpnHttp2) {
    if (turn) std::move(*turn).FoundHttp1();
    co_return out;
  }
  static const UpstreamLimits kLimits;
  NewLink made{access.pool.Enter(access.hop.pool_key), std::move(out.link.stream), out.link.peer, out.link.tls,
               std::move(turn)};
  out.request = BeginHttp2(access.pool, std::move(made), kLimits);
  co_return out;
}

Task<Shared> FindShared(const ParentAccess& access, uint64_t after) {
  DialTurns& turns = access.pool.turns();
  const PoolKey& key = access.hop.pool_key;
  const auto any = [](const IpAddress&) { return true; };  // configured
  for (;;) {
    Shared out;
    out.request = TakeNewer(access.pool, key, any, after);
    if (out.request != nullptr) co_return out;
    if (turns.SpeaksHttp1(key)) co_return co_await DialToShare(access, std::nullopt);
    std::optional<DialTurn> turn = turns.Take(key);
    if (turn) co_return co_await DialToShare(access, std::move(turn));
    std::optional<DialTurn> passed = co_await turns.Wait(key, access.options.connect_timeout_ms);
    if (passed) co_return co_await DialToShare(access, std::move(passed));
  }
}

// True: the parent did not look at it, and it may be asked once more.
Task<bool> AskOverHttp2(UpstreamRequest& request, const Head& head, Asked& asked) {
  asked.answer = co_await AskForTunnel(request, head);
  HearLateAlert(request.tls_end(), asked);
  if (asked.answer.fault == Fault::kNone) asked.stream = request.TakeStream();
  if (asked.answer.fault == Fault::kNone) co_return false;
  co_return request.MayRepeat(false);
}

}  // namespace

Task<ParentLink> ReachParent(const NextHop& hop, Resolver& resolver, const DialOptions& options, bool http2) {
  ParentLink link;
  DialResult dialled = co_await DialConfigured(hop.target.target(), resolver, options);
  link.stream = std::move(dialled.stream);
  link.peer = dialled.peer;
  link.fault = dialled.fault;
  link.failed = std::move(dialled.failed);
  if (link.stream == nullptr || hop.tls == nullptr) co_return link;
  TlsOffer offer{hop.tls->Get(), hop.tls_name, {}};
  if (http2 && hop.http2) offer.alpn.emplace_back(kAlpnHttp2);
  offer.alpn.emplace_back(kAlpnHttp1);
  TlsOutcome outcome = co_await ShakeHands(link.stream, offer, options.connect_timeout_ms);
  link.fault = outcome.fault;
  link.tls = static_cast<const TlsStream*>(link.stream.get());
  link.handshakes.push_back(std::move(outcome));
  co_return link;
}

Task<Asked> AskParent(const ParentAccess& access, std::string authority, const std::string& via) {
  const Head request = ConnectHead(access.hop, authority, via);
  uint64_t after = 0;
  for (bool again = false;; again = true) {
    Shared found;
    if (access.hop.http2) {
      found = co_await FindShared(access, after);
    } else {
      found.link = co_await ReachParent(access.hop, access.resolver, access.options, false);
    }
    Asked asked;
    asked.parent = found.request != nullptr ? found.request->peer() : found.link.peer;
    asked.answer.fault = found.link.fault;
    asked.handshakes = std::move(found.link.handshakes);
    asked.parent_reached = found.request != nullptr || found.link.stream != nullptr;
    if (!asked.parent_reached) co_return asked;
    if (found.request == nullptr) {
      co_await AskOverHttp1(std::move(found.link), access, request, asked);
      co_return asked;
    }
    if (!co_await AskOverHttp2(*found.request, request, asked) || again) co_return asked;
    after = found.request->number();
  }
}

}  // namespace egret
