#include "source/base/failure.h"

#include <array>

#include "source/base/check.h"

namespace egret {
namespace {

using enum Fault;
constexpr std::string_view kDenied = "http_request_denied";
constexpr std::string_view kBadRequest = "http_request_error";
constexpr std::string_view kBadResponse = "http_protocol_error";

constexpr std::array<FaultText, static_cast<size_t>(kCount)> kTable = {{
    {kNone, "", 0, "", ""},
    {kHttpSyntax, "http1.malformed", 400, kBadRequest, "The request is not well-formed HTTP/1.1."},
    {kHttpBadCharacter, "http1.invalid_character", 400, kBadRequest, "The request head holds a control character."},
    {kHttpObsFold, "http1.folded_field", 400, kBadRequest, "A header field continues on a second line."},
    {kHttpSpaceBeforeColon, "http1.space_before_colon", 400, kBadRequest,
     "White space stands before the colon of a header field."},
    {kHttpFraming, "http1.conflicting_framing", 400, kBadRequest,
     "Content-Length and Transfer-Encoding contradict each other."},
    {kHttpContentLength, "http1.invalid_content_length", 400, kBadRequest, "Content-Length is not one decimal number."},
    {kHttpTransferEncoding, "http1.invalid_transfer_encoding", 400, kBadRequest,
     "Transfer-Encoding does not end in one chunked."},
    {kHttpUnknownCoding, "http1.unknown_transfer_coding", 501, kBadRequest, "This transfer coding is not implemented."},
    {kHttpVersion, "http1.unsupported_version", 505, kBadRequest, "Only HTTP/1.0 and HTTP/1.1 are spoken here."},
    {kHttpMethod, "http1.unknown_method", 501, kBadRequest, "This method is not implemented."},
    {kHttpTarget, "http1.invalid_target", 400, kBadRequest, "The request target is not valid."},
    {kHttpTargetForm, "http1.not_a_proxy_request", 400, kBadRequest,
     "This is a proxy: it serves absolute-form requests and CONNECT."},
    {kHttpScheme, "http1.unsupported_scheme", 501, kBadRequest,
     "Only http:// and https:// can be asked of this proxy; use CONNECT for anything else."},
    {kHttpsInClear, "https_in_clear", 403, kDenied,
     "Over a connection in clear https:// is not asked for: use CONNECT, or TLS to the proxy."},
    {kHttpTrace, "http1.trace_denied", 405, kBadRequest, "TRACE is not served: it would show what proxies add."},
    {kHttpHost, "http1.invalid_host", 400, kBadRequest, "The Host header is missing, repeated or not valid."},
    {kHttpHostMismatch, "http1.host_mismatch", 400, kBadRequest,
     "Host and the request target name different authorities."},
    {kHttpConnectTarget, "http1.invalid_connect_target", 400, kBadRequest, "CONNECT takes host:port."},
    {kHttpConnectBody, "http1.connect_with_body", 400, kBadRequest, "A CONNECT request has no body."},
    {kHttpConnectionField, "http1.invalid_connection_field", 400, kBadRequest,
     "Connection names a field that is not hop-by-hop."},
    {kHttpHeaderTooLarge, "http1.headers_too_large", 431, kBadRequest, "The request head is larger than the limit."},
    {kHttpTooManyFields, "http1.too_many_fields", 431, kBadRequest,
     "The request has more header fields than the limit."},
    {kHttpUriTooLong, "http1.uri_too_long", 414, kBadRequest, "The request target is longer than the limit."},
    {kHttpChunk, "http1.invalid_chunk", 400, kBadRequest, "The chunked body is malformed."},
    {kHttpTrailer, "http1.invalid_trailer", 400, kBadRequest, "The trailer section is malformed."},
    {kContentTooLarge, "content_too_large", 413, kDenied,
     "There is more content than this proxy may change, and it may not pass unchanged."},
    {kContentUnchangeable, "content_unchangeable", 415, kDenied,
     "This content cannot be changed as this proxy has to, and may not pass unchanged."},
    {kHttpCredentials, "http1.repeated_credentials", 400, kBadRequest, "Proxy-Authorization is there more than once."},
    {kHttpExpectation, "http1.unknown_expectation", 417, kBadRequest, "The only expectation known is 100-continue."},
    {kHttp2Preface, "http2.not_served", 400, kBadRequest, "HTTP/2 is not served on this listener."},
    {kHttp2Protocol, "http2.protocol_error", 0, kBadRequest, "The client broke a rule of HTTP/2."},
    {kHttp2Malformed, "http2.malformed", 400, kBadRequest, "The request is not well-formed HTTP/2."},
    {kHttp2Connect, "http2.unknown_protocol", 501, kBadRequest,
     "Extended CONNECT is served for the protocol websocket only."},
    {kHttp2Flood, "http2.flood", 0, kBadRequest, "The client sent more frames of a kind than the limit."},
    {kTlsHello, "tls_hello", 0, "tls_protocol_error",
     "The tunnel begins with TLS, but not with a sound ClientHello in time."},
    {kTlsProtocol, "tls_protocol_error", 502, "tls_protocol_error", "The TLS handshake failed."},
    {kTlsCertificate, "tls_certificate_error", 502, "tls_certificate_error",
     "The certificate is missing or not to be believed."},
    {kTlsName, "tls_name_mismatch", 502, "tls_certificate_error", "The certificate is for another name."},
    {kTlsAlert, "tls_alert_received", 502, "tls_alert_received", "The other side ended the TLS handshake."},
    {kTlsTimeout, "tls_handshake_timeout", 504, "connection_timeout", "The TLS handshake took too long."},
    {kForeignAlpn, "foreign_alpn", 0, "tls_protocol_error",
     "The client speaks no protocol inside its TLS that could be inspected."},
    {kLeafRefused, "leaf_refused", 0, "tls_alert_received",
     "The client does not believe the certificate that it was shown."},
    {kNoLeaf, "no_leaf", 500, "proxy_internal_error", "No certificate could be made for the destination."},
    {kProxyProtocol, "proxy_protocol", 0, "", "The load balancer did not say who is behind it, or not in time."},
    {kClientGone, "client_gone", 0, "", "The client went away."},
    {kClientEnded, "client_ended_early", 0, "", "The client ended its side inside a message."},
    {kClientTimeoutHeader, "client_header_timeout", 408, "http_request_error",
     "The request head did not arrive in time."},
    {kClientTimeoutBody, "client_body_timeout", 408, "http_request_error", "The request body did not arrive in time."},
    {kClientTimeoutWrite, "client_write_timeout", 0, "", "The client did not take the response in time."},
    {kIdleTimeout, "idle_timeout", 0, "", "Nothing passed for as long as the idle limit."},
    {kLifetime, "max_lifetime", 0, "", "The tunnel reached its greatest age."},
    {kTotalTimeout, "request_timeout", 504, "http_response_timeout", "The exchange took longer than its limit."},
    {kHalfClosedTimeout, "half_closed_timeout", 0, "", "One side ended and the other did not follow in time."},
    {kPolicyDenied, "policy_denied", 403, kDenied, "The policy does not allow this."},
    {kCredentialMisplaced, "credential_misplaced", 403, kDenied,
     "A placeholder for a credential stands where that credential does not belong."},
    {kCredentialForeign, "credential_foreign", 403, kDenied,
     "At this host only the proxy's credential passes, in the place of its placeholder."},
    {kCredentialUnsigned, "credential_unsigned", 403, kDenied, "The request cannot be signed in the client's place."},
    {kAddressProhibited, "address_prohibited", 403, "destination_ip_prohibited",
     "The destination's address is not to be reached from here."},
    {kSniMissing, "sni_missing", 403, kDenied, "The ClientHello names no server, and the tunnel is to a name."},
    {kSniMalformed, "sni_malformed", 403, kDenied, "The server name in the ClientHello is not a host name."},
    {kSniMismatch, "sni_mismatch", 403, kDenied, "The ClientHello names another server than the tunnel's."},
    {kSniAddressMismatch, "sni_address_mismatch", 403, kDenied,
     "The name that was shown does not resolve to the address that was wanted."},
    {kEchOuterName, "ech_outer_name", 403, kDenied,
     "The ClientHello is encrypted, and the name in front of it is not the tunnel's."},
    {kMisdirected, "misdirected", 421, kDenied, "This connection serves another authority."},
    {kNeedsInspection, "needs_inspection", 403, kDenied,
     "A rule could only decide by reading the request, and may not."},
    {kNoChain, "no_chain", 403, kDenied, "No filter chain takes what the tunnel carries."},
    {kProxyLoop, "proxy_loop", 502, "proxy_loop_detected", "The request already passed through this proxy."},
    {kAuthRequired, "auth_required", 407, kDenied, "The proxy asks who you are."},
    {kAuthWrong, "auth_wrong", 407, kDenied, "The proxy does not know these credentials."},
    {kAuthThrottled, "auth_throttled", 429, kDenied, "Too many wrong credentials came from there; try again later."},
    {kAuthBusy, "auth_busy", 503, "proxy_internal_error", "Too many passwords wait to be checked; try again soon."},
    {kNoIdentity, "no_identity", 403, kDenied, "The proxy does not know who asks, and serves nobody unknown."},
    {kPolicyRevoked, "policy_revoked", 403, kDenied, "The policy does not allow this any more."},
    {kInspectionNowRequired, "inspection_now_required", 403, kDenied,
     "The policy allows this only if it is read, and it was begun unread."},
    {kDepth, "tunnel_depth", 403, kDenied, "Tunnels are nested too deep."},
    {kExtAuthzDenied, "ext_authz_denied", 403, kDenied, "The authorization service does not allow it."},
    {kExtAuthzError, "ext_authz_error", 403, kDenied,
     "The authorization service gave no answer that can be carried out."},
    {kDnsTimeout, "dns_timeout", 504, "dns_timeout", "The destination's name could not be resolved in time."},
    {kDnsFailure, "dns_failure", 502, "dns_error", "The name servers failed to resolve the destination's name."},
    {kDnsNotFound, "dns_not_found", 502, "dns_error", "The destination's name does not exist."},
    {kDnsNoAddress, "dns_no_address", 502, "dns_error", "The destination's name has no address."},
    {kConnectRefused, "connection_refused", 502, "connection_refused", "The destination refused the connection."},
    {kConnectTimeout, "connection_timeout", 504, "connection_timeout", "The destination did not answer in time."},
    {kConnectUnreachable, "destination_unreachable", 502, "destination_ip_unroutable",
     "There is no route to the destination."},
    {kConnectProhibited, "connection_prohibited", 502, "destination_ip_unroutable",
     "The network prohibits reaching the destination."},
    {kConnectReset, "connection_reset", 502, "connection_terminated",
     "The destination reset the connection while it was made."},
    {kLocalPortExhausted, "local_ports_exhausted", 503, "connection_limit_reached",
     "The proxy has no local port left for this destination."},
    {kDescriptorsExhausted, "descriptors_exhausted", 503, "connection_limit_reached",
     "The proxy has no descriptor left."},
    {kConnectFailed, "connection_failed", 502, "destination_unavailable", "The connection to the destination failed."},
    {kUpstreamClosed, "upstream_closed", 502, "connection_terminated",
     "The destination ended the connection before it answered."},
    {kUpstreamReset, "upstream_reset", 502, "connection_terminated", "The destination reset the connection."},
    {kUpstreamTruncated, "upstream_truncated", 502, "http_response_incomplete",
     "The destination ended inside the response."},
    {kUpstreamMalformed, "upstream_malformed", 502, kBadResponse,
     "The destination's response is not well-formed HTTP."},
    {kUpstreamHttp2, "upstream_http2_error", 502, kBadResponse, "The destination broke a rule of HTTP/2."},
    {kUpstreamRefused, "upstream_refused_stream", 503, "connection_limit_reached",
     "The destination would not take the request."},
    {kUpstreamFraming, "upstream_conflicting_framing", 502, kBadResponse,
     "The destination's response has contradictory framing."},
    {kUpstreamHeaderTooLarge, "upstream_headers_too_large", 502, "http_response_header_section_size",
     "The destination's response head is larger than the limit."},
    {kUpstreamTooManyInterim, "upstream_too_many_interim", 502, kBadResponse,
     "The destination sent too many interim responses."},
    {kUpstreamUnasked101, "upstream_unasked_101", 502, "http_upgrade_failed",
     "The destination switched protocols unasked."},
    {kUpstreamUnasked407, "upstream_unasked_407", 502, kBadResponse,
     "The destination asked for proxy credentials, which it may not."},
    {kUpstreamBadUpgrade, "upstream_bad_upgrade", 502, "http_upgrade_failed",
     "The destination did not switch protocols as it was asked to."},
    {kUpstreamUnchangeable, "upstream_unchangeable", 502, kDenied,
     "The response cannot be changed as this proxy has to, and may not pass unchanged."},
    {kUpstreamTimeoutHeader, "upstream_header_timeout", 504, "http_response_timeout",
     "The destination did not answer in time."},
    {kUpstreamTimeoutBody, "upstream_body_timeout", 504, "http_response_timeout",
     "The destination's response stopped."},
    {kUpstreamTimeoutWrite, "upstream_write_timeout", 504, "connection_write_timeout",
     "The destination did not take the request in time."},
    {kParentRefused, "parent_refused", 502, "destination_unavailable", "The parent proxy did not open the tunnel."},
    {kParentAuth, "parent_auth", 502, "proxy_configuration_error",
     "The parent proxy does not accept this proxy's credentials."},
    {kParentMalformed, "parent_malformed", 502, kBadResponse, "The parent proxy's answer is not well-formed."},
    {kOverload, "overload", 503, "proxy_internal_error", "The proxy has no room for this now."},
    {kConnectionLimit, "connection_limit", 503, "connection_limit_reached", "The limit of connections is reached."},
    {kPoolLimit, "upstream_limit", 503, "connection_limit_reached",
     "The limit of connections to this destination is reached."},
    {kRateLimited, "rate_limited", 429, kDenied, "Too many requests or tunnels; try again later."},
    {kDrain, "drain", 0, "", "The proxy is shutting down."},
    {kConfigSuperseded, "config_superseded", 0, "", "The configuration this connection used is gone."},
    {kAdminEnded, "admin_ended", 0, "", "An operator ended it."},
    {kInternal, "internal", 500, "proxy_internal_error", "The proxy failed."},
}};

constexpr bool TableIsInOrder() {
  for (size_t i = 0; i < kTable.size(); ++i)
    if (static_cast<size_t>(kTable[i].fault) != i) return false;
  return true;
}
static_assert(TableIsInOrder());

}  // namespace

const FaultText& TextOf(Fault fault) {
  CHECK(fault < kCount);
  return kTable[static_cast<size_t>(fault)];
}

std::string_view NameOf(Side side) {
  switch (side) {
    case Side::kEgret:
      return "egret";
    case Side::kClient:
      return "client";
    case Side::kUpstream:
      return "upstream";
  }
  return "";
}

}  // namespace egret
