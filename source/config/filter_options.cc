#include "source/config/filter_options.h"

#include <algorithm>

#include "source/base/strings.h"
#include "source/config/duration.h"

namespace egret {
namespace {

void PutHttp2(const filters::network::v1::HttpConnection::Http2& message, HttpConnectionOptions& options) {
  using FrameRate = filters::network::v1::HttpConnection::Http2::FrameRate;
  const auto rate = [](const FrameRate& from) { return Http2Rate{from.burst(), from.per_second()}; };
  Http2Limits& limits = options.http2;
  options.serve_http2 = !message.disabled();
  if (message.has_max_concurrent_streams()) limits.streams = message.max_concurrent_streams();
  if (message.has_stream_window_bytes()) limits.stream_window = message.stream_window_bytes();
  if (message.has_connection_window_bytes())
    limits.inbox_bytes = limits.connection_window = message.connection_window_bytes();
  if (message.has_resets()) limits.resets = rate(message.resets());
  if (message.has_control_frames()) limits.control_frames = rate(message.control_frames());
  if (message.has_max_age()) limits.max_age_ms = Milliseconds(message.max_age());
}

}  // namespace

std::vector<Cidr> Ranges(const google::protobuf::RepeatedPtrField<std::string>& texts) {
  std::vector<Cidr> out;
  for (const std::string& text : texts)
    if (const auto range = Cidr::Parse(text)) out.push_back(*range);
  return out;
}

ChainMatch OptionsOf(const config::v1::ChainMatch& match) {
  ChainMatch out;
  if (match.verdict() == config::v1::ChainMatch::RELAY) out.verdict = ChainMatch::Verdict::kRelay;
  if (match.verdict() == config::v1::ChainMatch::INSPECT) out.verdict = ChainMatch::Verdict::kInspect;
  switch (match.protocol()) {
    case config::v1::ChainMatch::TLS:
      out.protocol = Protocol::kTls;
      break;
    case config::v1::ChainMatch::HTTP:
      out.protocol = Protocol::kHttp;
      break;
    case config::v1::ChainMatch::OTHER:
      out.protocol = Protocol::kOther;
      break;
    default:
      break;
  }
  for (const std::string& name : match.server_names()) out.server_names.push_back(ToLower(name));
  out.alpn.assign(match.alpn().begin(), match.alpn().end());
  for (const uint32_t port : match.ports()) out.ports.push_back(static_cast<uint16_t>(port));
  out.sources = Ranges(match.source_cidrs());
  return out;
}

ProxyProtocolOptions OptionsOf(const filters::network::v1::ProxyProtocol& message) {
  ProxyProtocolOptions options;
  options.trusted = Ranges(message.trusted_cidrs());
  return options;
}

TlsInspectorOptions OptionsOf(const filters::network::v1::TlsInspector& message) {
  TlsInspectorOptions options;
  if (message.has_timeout()) options.timeout_ms = Milliseconds(message.timeout());
  if (message.has_max_bytes()) options.max_bytes = message.max_bytes();
  return options;
}

HttpConnectionOptions OptionsOf(const filters::network::v1::HttpConnection& message) {
  HttpConnectionOptions options;
  options.via = message.via();
  if (message.target() == filters::network::v1::HttpConnection::ABSOLUTE_FORM)
    options.target = HttpConnectionOptions::Target::kAbsoluteForm;
  if (message.target() == filters::network::v1::HttpConnection::TUNNEL)
    options.target = HttpConnectionOptions::Target::kTunnel;
  if (message.target() == filters::network::v1::HttpConnection::HOST)
    options.target = HttpConnectionOptions::Target::kHost;
  options.https_in_clear = message.https_in_clear();
  if (message.denial_detail() == filters::network::v1::HttpConnection::NONE)
    options.denial_detail = DenialDetail::kNone;
  if (message.denial_detail() == filters::network::v1::HttpConnection::FULL)
    options.denial_detail = DenialDetail::kFull;
  const auto& limits = message.limits();
  if (limits.has_header_bytes()) options.limits.head_bytes = limits.header_bytes();
  if (limits.has_header_count()) options.limits.fields = limits.header_count();
  if (limits.has_requests_per_connection()) options.max_requests = limits.requests_per_connection();
  const auto& timeouts = message.timeouts();
  if (timeouts.has_idle()) options.limits.idle_ms = Milliseconds(timeouts.idle());
  if (timeouts.has_header()) options.limits.head_ms = Milliseconds(timeouts.header());
  if (timeouts.has_body()) options.limits.body_ms = Milliseconds(timeouts.body());
  if (timeouts.has_write()) options.limits.write_ms = Milliseconds(timeouts.write());
  if (timeouts.has_request()) options.serve.total_ms = Milliseconds(timeouts.request());
  if (timeouts.has_client_fin_grace()) options.serve.client_fin_grace_ms = Milliseconds(timeouts.client_fin_grace());
  PutHttp2(message.http2(), options);
  return options;
}

MitmTerminatorOptions OptionsOf(const filters::network::v1::MitmTerminator& message) {
  using Message = filters::network::v1::MitmTerminator;
  using Options = MitmTerminatorOptions;
  Options options;
  if (message.origin() == Message::LAZY) options.origin = Options::Origin::kLazy;
  if (message.on_origin_failure() == Message::UNTRUSTED_LEAF) options.on_failure = Options::OnFailure::kUntrustedLeaf;
  if (message.on_origin_failure() == Message::ERROR_PAGE) options.on_failure = Options::OnFailure::kErrorPage;
  if (message.has_handshake_timeout()) options.handshake_ms = Milliseconds(message.handshake_timeout());
  return options;
}

RateLimitOptions OptionsOf(const filters::http::v1::RateLimit& message) {
  RateLimitOptions options;
  if (message.per() == filters::http::v1::RateLimit::IDENTITY) options.per = RateLimitOptions::Key::kIdentity;
  if (message.per() == filters::http::v1::RateLimit::DESTINATION) options.per = RateLimitOptions::Key::kDestination;
  if (message.has_requests()) {
    options.limits.rate = message.requests().rate();
    options.limits.burst = message.requests().burst();
  }
  options.limits.tunnels = message.tunnels();
  return options;
}

ConnectTunnelOptions OptionsOf(const filters::http::v1::ConnectTunnel& message) {
  ConnectTunnelOptions options;
  options.listener = message.listener();
  if (message.has_connect_timeout()) options.dial.connect_timeout_ms = Milliseconds(message.connect_timeout());
  if (message.has_idle_timeout()) options.relay.idle_ms = Milliseconds(message.idle_timeout());
  if (message.has_half_closed_timeout()) options.relay.half_closed_ms = Milliseconds(message.half_closed_timeout());
  if (message.has_max_lifetime()) options.relay.lifetime_ms = Milliseconds(message.max_lifetime());
  return options;
}

ForwardRouterOptions OptionsOf(const filters::http::v1::ForwardRouter& message) {
  ForwardRouterOptions options;
  if (message.upstream_http2() == filters::http::v1::ForwardRouter::NEVER)
    options.http2 = ForwardRouterOptions::Http2::kNever;
  if (message.upstream_http2() == filters::http::v1::ForwardRouter::ALWAYS)
    options.http2 = ForwardRouterOptions::Http2::kAlways;
  if (message.has_connect_timeout()) options.dial.connect_timeout_ms = Milliseconds(message.connect_timeout());
  if (message.has_response_header_timeout())
    options.limits.http1.head_ms = options.limits.http2.answer_ms = Milliseconds(message.response_header_timeout());
  const auto& pool = message.pool();
  if (pool.has_max_idle_per_key()) options.limits.pool.idle_per_key = pool.max_idle_per_key();
  options.limits.pool.idle_total = std::max(options.limits.pool.idle_total, options.limits.pool.idle_per_key);
  if (pool.has_idle_timeout()) options.limits.pool.idle_ms = Milliseconds(pool.idle_timeout());
  if (pool.has_max_connections_per_key()) options.limits.pool.links_per_key = pool.max_connections_per_key();
  return options;
}

std::vector<HeaderOperation> OptionsOf(const HeaderOperations& messages) {
  using Kind = HeaderOperation::Kind;
  std::vector<HeaderOperation> out;
  for (const auto& operation : messages) {
    if (operation.has_set()) out.push_back({Kind::kSet, operation.set().name(), operation.set().value()});
    if (operation.has_append()) out.push_back({Kind::kAppend, operation.append().name(), operation.append().value()});
    if (operation.operation_case() == filters::http::v1::HeaderRewrite::Operation::kRemove)
      out.push_back({Kind::kRemove, operation.remove(), {}});
  }
  return out;
}

}  // namespace egret
