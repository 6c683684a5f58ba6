#include "source/filters/origin_mirror.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "source/chain/counters.h"
#include "source/event/combine.h"
#include "source/filters/recorded.h"
#include "source/upstream/pool.h"

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
  image.certificate = tls.peer_certificate();
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

// One that a request of this tunnel could have. Only looked at: whether a request may have it is decided when it comes.
const TlsStream* FindLive(const Connection& connection, const NextHop* hop, const TlsOffer& offer) {
  const Binding& binding = *connection.binding;
  const auto admits = [&](const IpAddress& peer) {
    return binding.remote ||
           std::find(binding.resolved.begin(), binding.resolved.end(), peer) != binding.resolved.end();
  };
  const PoolKey key = OriginKey(connection, *connection.target, hop, &offer, Http2Within(offer.alpn));
  return connection.worker.pool().Look(key, admits);
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

Task<OriginImage> LookAtOrigin(Connection& connection, const NextHop* hop, uint64_t handshake_ms) {
  const TlsOffer offer{connection.origin_tls->context, connection.target->host, connection.origin_tls->alpn};
  if (const TlsStream* const live = FindLive(connection, hop, offer)) {
    connection.upstream.reset();
    OriginImage image = ImageOf(*live);
    image.live = true;
    co_return image;
  }
  auto end = co_await Race(connection.upstream->Secure(*connection.inspect_permit, offer, handshake_ms),
                           connection.stream->GoneGate());
  if (end.index() == 1) {
    OriginImage image;
    image.client_gone = true;
    co_return image;
  }
  TlsOutcome& outcome = *std::get_if<0>(&end);
  RecordHandshake(connection.worker, *connection.record, outcome);
  if (outcome.fault != Fault::kNone) co_return Failed(std::move(outcome));
  connection.record->upstream_tls_version = outcome.version;
  co_return ImageOf(*connection.upstream->tls());
}

}  // namespace egret
