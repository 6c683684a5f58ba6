#include "source/upstream/tls_handshake.h"

#include <algorithm>
#include <optional>

#include "source/event/combine.h"
#include "source/tls/tls_stream.h"

namespace egret {
namespace {

// A server must choose from what it was offered (RFC 7301 3.1); the library does not insist.
bool WasOffered(std::string_view agreed, const std::vector<std::string>& offer) {
  if (agreed.empty() && offer.empty()) return true;
  if (agreed.empty()) agreed = kAlpnHttp1;
  return std::find(offer.begin(), offer.end(), agreed) != offer.end();
}

TlsOutcome Judge(const TlsStream& tls, Fault fault, const TlsOffer& offer) {
  if (fault != Fault::kNone)
    return {.fault = fault, .detail = tls.detail(), .alert = tls.alert(), .staple = tls.staple()};
  if (!WasOffered(tls.alpn(), offer.alpn))
    return {.fault = Fault::kTlsProtocol, .detail = "no protocol that was offered was agreed on"};
  return {.version = tls.version(), .alpn = std::string(tls.alpn()), .resumed = tls.resumed(), .staple = tls.staple()};
}

}  // namespace

Task<TlsOutcome> ShakeHands(std::unique_ptr<Stream>& stream, const TlsOffer& offer, uint64_t timeout_ms) {
  std::unique_ptr<TlsStream> made = offer.context->Connect(std::move(stream), offer.name, offer.alpn);
  TlsStream& tls = *made;
  stream = std::move(made);
  const std::optional<Failure> failure = co_await WithDeadline(tls.Handshake(), timeout_ms);
  TlsOutcome outcome = Judge(tls, failure ? failure->fault : Fault::kTlsTimeout, offer);
  if (outcome.fault != Fault::kNone) {
    if (failure) stream->Finish();  // the alert is on its way
    stream.reset();
  }
  co_return outcome;
}

}  // namespace egret
