#include "source/filters/origin_mirror.h"

#include <openssl/x509.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "source/chain/counters.h"
#include "source/event/combine.h"
#include "source/filters/recorded.h"
#include "source/upstream/pool.h"
#include "source/upstream/request.h"

namespace egret {
namespace {

// As text that outlives the connection that agreed on it.
std::string_view Static(std::string_view alpn) {
  if (alpn == kAlpnHttp2) return kAlpnHttp2;
  return alpn == kAlpnHttp1 ? kAlpnHttp1 : "";
}

OriginImage ImageOf(const TlsStream& tls) {
  OriginImage image;
  image.alpn = Static(tls.alpn());
  image.certificate.reset(tls.peer_certificate());
  if (image.certificate) X509_up_ref(image.certificate.get());
  return image;
}

OriginImage Failed(TlsOutcome outcome) {
  OriginImage image;
  image.fault = outcome.fault;
  image.detail = std::move(outcome.detail);
  if (TlsResultOf(outcome.fault) != TlsResult::kTimeout && TlsResultOf(outcome.fault) != TlsResult::kGone)
    image.alert = outcome.alert;
  return image;
}

TlsOffer OfferOf(const Connection& connection) {
  return {connection.origin_tls->context, connection.target->host, connection.origin_tls->alpn};
}

PoolKey KeyOf(const Connection& connection, const ForwardRouterOptions& router, const TlsOffer& offer) {
  return OriginKey(connection, connection.identity.get(), *connection.target, router.next_hop.get(), &offer,
                   Http2Within(offer.alpn));
}

// One that a request of this tunnel could have. Only looked at: whether a request may have it is decided when it comes.
std::optional<OriginImage> LookInPool(Connection& connection, const PoolKey& key) {
  const Binding& binding = *connection.binding;
  const auto admits = [&](const IpAddress& peer) {
    return binding.remote ||
           std::find(binding.resolved.begin(), binding.resolved.end(), peer) != binding.resolved.end();
  };
  const TlsStream* const live = connection.worker.pool().Look(key, admits);
  if (live == nullptr) return std::nullopt;
  OriginImage image = ImageOf(*live);
  image.live = true;
  connection.upstream.reset();
  return image;
}

// What was reserved may have been offered something else: between what it speaks and the client the chain translates.
OriginImage LookAtReserved(Connection& connection, const ForwardRouterOptions& router, TlsOffer offer) {
  for (const bool with_http1 : {false, true}) {
    offer.alpn = {std::string(kAlpnHttp2)};
    if (with_http1) offer.alpn.emplace_back(kAlpnHttp1);
    if (std::optional<OriginImage> image = LookInPool(connection, KeyOf(connection, router, offer)))
      return std::move(*image);
  }
  OriginImage image;
  image.unknown = true;
  return image;
}

void PutIntoPool(Connection& connection, const ForwardRouterOptions& router, PoolKey key,
                 std::optional<DialTurn> turn) {
  Dialled dialled = std::move(*connection.upstream);
  connection.upstream.reset();
  UpstreamPool& pool = connection.worker.pool();
  const TlsStream* const tls = dialled.tls();
  const Endpoint peer = dialled.peer();
  const bool http2 = tls->alpn() == kAlpnHttp2;
  if (http2)
    pool.known_keys().Remember(OriginOf(connection.identity.get(), *connection.target, router.next_hop.get()), key);
  Keep(pool, {pool.Enter(std::move(key)), std::move(dialled).IntoPool(), peer, tls, std::move(turn)}, http2,
       router.limits);
}

Task<OriginImage> Shake(Connection& connection, const ForwardRouterOptions& router, const TlsOffer& offer,
                        const PoolKey& key, std::optional<DialTurn> turn, uint64_t handshake_ms) {
  TlsOutcome outcome = co_await connection.upstream->Secure(*connection.inspect_permit, offer, handshake_ms);
  RecordHandshake(connection.worker, *connection.record, outcome);
  if (outcome.fault != Fault::kNone) {
    if (turn) std::move(*turn).FoundNothing();
    co_return Failed(std::move(outcome));
  }
  connection.record->upstream_tls_version = outcome.version;
  OriginImage image = ImageOf(*connection.upstream->tls());
  if (outcome.http2()) {
    PutIntoPool(connection, router, key, std::move(turn));
  } else if (turn) {
    std::move(*turn).FoundHttp1();
  }
  co_return image;
}

Task<OriginImage> Look(Connection& connection, const ForwardRouterOptions& router, uint64_t handshake_ms) {
  const TlsOffer offer = OfferOf(connection);
  const PoolKey key = KeyOf(connection, router, offer);
  const Loop& loop = connection.worker.loop();
  const uint64_t due_ms = loop.now_ms() + handshake_ms;
  if (std::optional<OriginImage> image = LookInPool(connection, key)) co_return std::move(*image);
  if (!connection.upstream) co_return LookAtReserved(connection, router, offer);
  DialTurns& turns = connection.worker.pool().turns();
  const bool may_share = Offers(offer.alpn, kAlpnHttp2) && !turns.SpeaksHttp1(key);
  if (std::optional<DialTurn> first = may_share ? turns.Take(key) : std::nullopt; first || !may_share)
    co_return co_await Shake(connection, router, offer, key, std::move(first), handshake_ms);
  std::optional<DialTurn> turn = co_await turns.Wait(key, handshake_ms);
  if (std::optional<OriginImage> image = LookInPool(connection, key)) co_return std::move(*image);
  const uint64_t left_ms = due_ms - std::min(due_ms - 1, loop.now_ms());
  co_return co_await Shake(connection, router, offer, key, std::move(turn), left_ms);
}

}  // namespace

std::vector<std::string> OfferToOrigin(const std::vector<std::string>& client, OriginHttp2 http2) {
  if (http2 == OriginHttp2::kAlways) return {std::string(kAlpnHttp2)};
  std::vector<std::string> out;
  if (http2 == OriginHttp2::kAuto && Offers(client, kAlpnHttp2)) out.emplace_back(kAlpnHttp2);
  if (Offers(client, kAlpnHttp1) || (http2 == OriginHttp2::kNever && !client.empty())) out.emplace_back(kAlpnHttp1);
  return out;
}

std::vector<std::string> AnswerToClient(const std::vector<std::string>& client, const std::vector<std::string>& spoken,
                                        std::string_view agreed) {
  for (const std::string_view one : {agreed, kAlpnHttp1, kAlpnHttp2})
    if (Offers(client, one) && Offers(spoken, one)) return {std::string(one)};
  return {};
}

Task<OriginImage> LookAtOrigin(Connection& connection, const ForwardRouterOptions& router, uint64_t handshake_ms) {
  auto end = co_await Race(Look(connection, router, handshake_ms), connection.stream->GoneGate());
  if (OriginImage* const image = std::get_if<0>(&end)) co_return std::move(*image);
  OriginImage nobody;
  nobody.client_gone = true;
  co_return nobody;
}

void KeepUnasked(Connection& connection, const ForwardRouterOptions& router) {
  const std::optional<Dialled>& upstream = connection.upstream;
  if (!connection.origin_tls || !upstream || upstream->tls() == nullptr) return;
  PutIntoPool(connection, router, KeyOf(connection, router, OfferOf(connection)), std::nullopt);
}

}  // namespace egret
