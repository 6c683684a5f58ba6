// Why something on the data path went wrong, as a small value: whose side, which fault. What a fault means to the
// outside (HTTP status, log detail, RFC 9209 error type, sentence) stands in one table, and is turned into a reply, a
// log line and a counter in one place.
#pragma once

#include <cstdint>
#include <string_view>

namespace egret {

enum class Side : uint8_t { kEgret, kClient, kUpstream };

// One for each distinguishable cause; the order is that of the table in failure.cc.
enum class Fault : uint8_t {
  kNone,
  // What a client sent.
  kHttpSyntax,            // not HTTP/1, or a malformed start line or field
  kHttpBadCharacter,      // bare CR or LF, NUL or another control character
  kHttpObsFold,           // RFC 9112 5.2
  kHttpSpaceBeforeColon,  // RFC 9112 5.1
  kHttpFraming,           // Content-Length and Transfer-Encoding disagree (RFC 9112 6.1, 6.3)
  kHttpContentLength,     // not one plain number
  kHttpTransferEncoding,  // chunked is not the final coding, or is repeated
  kHttpUnknownCoding,     // a transfer coding other than chunked
  kHttpVersion,
  kHttpMethod,           // a method that is not built in
  kHttpTarget,           // request target malformed
  kHttpTargetForm,       // origin-form where only a proxy request is served
  kHttpScheme,           // a scheme that is neither http nor https
  kHttpsInClear,         // https asked for over a connection in clear
  kHttpTrace,            // TRACE would reflect credentials
  kHttpHost,             // Host missing, repeated, invalid
  kHttpHostMismatch,     // Host is not the target's authority
  kHttpConnectTarget,    // CONNECT without a valid host:port
  kHttpConnectBody,      // CONNECT with framing of a body
  kHttpConnectionField,  // Connection names a field that it must not remove
  kHttpHeaderTooLarge,
  kHttpTooManyFields,
  kHttpUriTooLong,
  kHttpChunk,  // chunked body malformed
  kHttpTrailer,
  kContentTooLarge,
  kContentUnchangeable,
  kHttpCredentials,  // Proxy-Authorization more than once
  kHttpExpectation,  // an expectation other than 100-continue
  kHttp2Preface,     // HTTP/2 where it is not served
  kHttp2Protocol,    // a rule of the connection was broken (RFC 9113 5.4.1)
  kHttp2Malformed,   // one request was malformed, or its stream misused (RFC 9113 8.1.1, 5.4.2)
  kHttp2Connect,     // extended CONNECT for something else than WebSocket
  kHttp2Flood,       // more frames of a kind than anybody needs
  kTlsHello,         // no sound ClientHello, or not in time
  kTlsProtocol,      // the handshake failed, or what followed was no sound TLS
  kTlsCertificate,   // the peer's certificate is missing or not to be believed
  kTlsName,          // the certificate is sound, and for another name than was asked for
  kTlsAlert,         // the peer ended it with an alert
  kTlsTimeout,       // the handshake took too long
  kForeignAlpn,      // the client speaks nothing that could be read inside its TLS
  kLeafRefused,      // the client does not believe the leaf that was minted
  kNoLeaf,           // none could be minted
  kProxyProtocol,    // no sound PROXY header from a trusted load balancer, or not in time
  kClientGone,       // reset, or no byte can reach it any more
  kClientEnded,      // FIN inside a message
  kClientTimeoutHeader,
  kClientTimeoutBody,
  kClientTimeoutWrite,
  kIdleTimeout,
  kLifetime,
  kTotalTimeout,
  kHalfClosedTimeout,
  // What policy or a guard refused.
  kPolicyDenied,
  kCredentialMisplaced,  // a placeholder where no binding of the broker has it
  kCredentialForeign,    // the client's own credential at a host that has a brokered one
  kCredentialUnsigned,   // a request that cannot be signed in the client's place
  kAddressProhibited,
  kSniMissing,          // a tunnel to a name whose ClientHello shows none
  kSniMalformed,        // the ClientHello shows what is no name
  kSniMismatch,         // the ClientHello's name is not the tunnel's
  kSniAddressMismatch,  // the name that was shown is not at the address that was wanted
  kEchOuterName,        // what stands in front of an encrypted ClientHello is not the tunnel's name
  kMisdirected,         // 421: an inner request for another authority
  kNeedsInspection,
  kNoChain,
  kProxyLoop,
  kAuthRequired,
  kAuthWrong,      // a credential that no method knows
  kAuthThrottled,  // too many wrong ones from there
  kAuthBusy,       // too many passwords wait to be checked
  kNoIdentity,     // nobody known, and there is nothing that one could be asked for
  kPolicyRevoked,
  kInspectionNowRequired,  // relayed so far, and only to be read by now
  kDepth,                  // tunnels in tunnels
  kExtAuthzDenied,         // by an outside service
  kExtAuthzError,          // that service gave no answer, or none that can be carried out
  // What resolving, dialling or the upstream did.
  kDnsTimeout,
  kDnsFailure,    // SERVFAIL, REFUSED, malformed
  kDnsNotFound,   // NXDOMAIN
  kDnsNoAddress,  // the name exists and has none
  kConnectRefused,
  kConnectTimeout,
  kConnectUnreachable,
  kConnectProhibited,
  kConnectReset,
  kLocalPortExhausted,
  kDescriptorsExhausted,
  kConnectFailed,   // any other errno
  kUpstreamClosed,  // ended before a complete response head
  kUpstreamReset,
  kUpstreamTruncated,  // ended inside a body
  kUpstreamMalformed,
  kUpstreamHttp2,    // it broke a rule of the HTTP/2 connection, or flooded it
  kUpstreamRefused,  // it did not look at the request (RFC 9113 8.7)
  kUpstreamFraming,
  kUpstreamHeaderTooLarge,
  kUpstreamTooManyInterim,
  kUpstreamUnasked101,
  kUpstreamUnasked407,
  kUpstreamBadUpgrade,
  kUpstreamUnchangeable,  // as kContentUnchangeable
  kUpstreamTimeoutHeader,
  kUpstreamTimeoutBody,
  kUpstreamTimeoutWrite,
  kParentRefused,  // the parent proxy answered CONNECT with something else than 2xx
  kParentAuth,     // the parent proxy answered 407
  kParentMalformed,
  // Ours.
  kOverload,
  kConnectionLimit,
  kPoolLimit,
  kRateLimited,
  kDrain,
  kConfigSuperseded,
  kAdminEnded,
  kInternal,
  kCount,
};

struct Failure {
  Side side = Side::kEgret;
  Fault fault = Fault::kNone;
  explicit operator bool() const { return fault != Fault::kNone; }
  friend bool operator==(const Failure&, const Failure&) = default;
};

// What a fault means to the outside.
struct FaultText {
  Fault fault;
  std::string_view detail;       // log and metric: snake_case, stable
  uint16_t status;               // HTTP status of the local reply; 0: none can be sent
  std::string_view proxy_error;  // RFC 9209 error type; empty: none fits
  std::string_view sentence;     // for people
};

const FaultText& TextOf(Fault fault);
std::string_view NameOf(Side side);

}  // namespace egret
