#include "source/config/field_rules.h"

namespace egret {
namespace {

constexpr int64_t kMs = 1;
constexpr int64_t kSecond = 1000;
constexpr int64_t kMinute = 60 * kSecond;
constexpr int64_t kHour = 60 * kMinute;
constexpr int64_t kYear = 8760 * kHour;

using enum FieldRule::Kind;

constexpr FieldRule kRules[] = {
    // What a later release takes.
    {"egret.config.v1.Bootstrap.xds", kNotBuilt},
    {"egret.config.v1.Bootstrap.directory", kNotBuilt},
    {"egret.config.v1.Bootstrap.workload_sets", kNotBuilt},
    {"egret.config.v1.NetworkFilter.mitm_terminator", kNotBuilt},
    {"egret.config.v1.NetworkFilter.extension", kNotBuilt},
    {"egret.config.v1.HttpFilter.proxy_auth", kNotBuilt},
    {"egret.config.v1.HttpFilter.credential_broker", kNotBuilt},
    {"egret.config.v1.HttpFilter.extension", kNotBuilt},
    {"egret.filters.network.v1.TcpRelay.upstream", kNotBuilt},
    {"egret.config.v1.Secret.htpasswd", kNotBuilt},
    {"egret.config.v1.Secret.jwks", kNotBuilt},
    {"egret.filters.http.v1.RateLimit.per", kNotValue, 0, 0, "IDENTITY"},
    {"egret.filters.http.v1.ConnectTunnel.dial", kNotValue, 0, 0, "ON_DEMAND"},

    // Names of resources.
    {"egret.config.v1.Listener.name", kName},
    {"egret.config.v1.EgressPolicy.name", kName},
    {"egret.config.v1.DomainSet.name", kName},
    {"egret.config.v1.Upstream.name", kName},
    {"egret.config.v1.Secret.name", kName},

    // The process.
    {"egret.config.v1.Bootstrap.workers", kNumber, 1, 1024},
    {"egret.config.v1.Bootstrap.listeners", kCount, 0, 1000},
    {"egret.config.v1.Bootstrap.access_log", kCount, 0, 16},
    {"egret.config.v1.Drain.accept_grace", kDuration, 0, 10 * kMinute},
    {"egret.config.v1.Drain.timeout", kDuration, 0, 24 * kHour},
    {"egret.config.v1.Drain.jitter", kDuration, 0, kHour},
    {"egret.config.v1.Node.id", kLength, 0, 256},
    {"egret.config.v1.Node.cluster", kLength, 0, 256},
    {"egret.config.v1.Node.zone", kLength, 0, 256},
    {"egret.config.v1.Admin.address", kRequired},
    {"egret.config.v1.Admin.address", kLoopback},
    {"egret.config.v1.Metrics.address", kRequired},
    {"egret.config.v1.Metrics.address", kListen},
    {"egret.config.v1.Limits.connections", kNumber, 1, 10'000'000},
    {"egret.config.v1.Limits.connections_per_source", kNumber, 1, 10'000'000},
    {"egret.config.v1.Limits.large_buffers_per_worker", kNumber, 1, 65'536},
    {"egret.config.v1.Limits.Threshold.percent", kNumber, 1, 100},
    {"egret.config.v1.Limits.Threshold.bytes", kNumber, 1'048'576, INT64_MAX},
    {"egret.config.v1.AccessLog.text_format", kLength, 1, 4096},
    {"egret.config.v1.AccessLog.File.path", kRequired},
    {"egret.config.v1.AccessLog.File.path", kPath},
    {"egret.config.v1.DataSource.file", kRequired},
    {"egret.config.v1.DataSource.file", kPath},
    {"egret.config.v1.DataSource.environment", kRequired},
    {"egret.config.v1.Resolver.servers", kDns},
    {"egret.config.v1.Resolver.servers", kCount, 0, 8},
    {"egret.config.v1.Resolver.timeout", kDuration, 100 * kMs, 60 * kSecond},
    {"egret.config.v1.Resolver.hosts_file", kPath},
    {"egret.config.v1.Resolver.Cache.max_entries", kNumber, 1, 10'000'000},
    {"egret.config.v1.Resolver.Cache.max_negative_entries", kNumber, 1, 1'000'000},
    {"egret.config.v1.Resolver.Cache.min_ttl", kDuration, 0, kHour},
    {"egret.config.v1.Resolver.Cache.max_ttl", kDuration, kSecond, 24 * kHour},
    {"egret.config.v1.Resolver.Cache.negative_ttl", kDuration, 0, kHour},

    // Policies: compiling them says the rest.
    {"egret.config.v1.EgressPolicy.rules", kCount, 0, 10'000},
    {"egret.config.v1.DomainSet.DomainFile.path", kRequired},
    {"egret.config.v1.DomainSet.DomainFile.path", kPath},
    {"egret.config.v1.AddressGuard.also_refuse", kCount, 0, 10'000},

    // Listeners and chains.
    {"egret.config.v1.Listener.address", kListen},
    {"egret.config.v1.Listener.max_connections", kNumber, 1, 10'000'000},
    {"egret.config.v1.FilterChain.name", kLength, 0, 128},
    {"egret.config.v1.FilterChain.filters", kRequired},
    {"egret.config.v1.NetworkFilter.name", kLength, 0, 128},
    {"egret.config.v1.HttpFilter.name", kLength, 0, 128},
    {"egret.config.v1.ChainMatch.ports", kNumber, 1, 65535},
    {"egret.config.v1.ChainMatch.source_cidrs", kCidr},
    {"egret.filters.network.v1.ProxyProtocol.trusted_cidrs", kRequired},
    {"egret.filters.network.v1.ProxyProtocol.trusted_cidrs", kCidr},
    {"egret.filters.network.v1.ProxyProtocol.trusted_cidrs", kCount, 0, 1000},
    {"egret.filters.network.v1.TlsTerminator.certificates", kRequired},
    {"egret.filters.network.v1.TlsTerminator.certificates", kCount, 0, 100},
    {"egret.filters.network.v1.TlsTerminator.handshake_timeout", kDuration, 100 * kMs, kMinute},
    {"egret.filters.network.v1.TlsTerminator.cipher_suites", kCount, 0, 20},
    {"egret.filters.network.v1.TlsTerminator.cipher_suites", kCipherSuite},
    {"egret.config.v1.Secret.Certificate.certificate", kRequired},
    {"egret.config.v1.Secret.Certificate.key", kRequired},
    {"egret.config.v1.Secret.CertificateAuthority.certificate", kRequired},
    {"egret.config.v1.Secret.CertificateAuthority.key", kRequired},
    {"egret.config.v1.Secret.CertificateAuthority.leaf_lifetime", kDuration, kHour, 2160 * kHour},
    {"egret.filters.network.v1.TlsInspector.timeout", kDuration, 10 * kMs, kMinute},
    {"egret.filters.network.v1.TlsInspector.max_bytes", kNumber, 1024, 262'144},
    {"egret.filters.network.v1.EgressPolicy.policies", kCount, 0, 16},
    {"egret.filters.network.v1.HttpConnection.via", kToken},
    {"egret.filters.network.v1.HttpConnection.via", kLength, 0, 64},
    {"egret.filters.network.v1.HttpConnection.filters", kRequired},
    {"egret.filters.network.v1.HttpConnection.Limits.header_bytes", kNumber, 1024, 1'048'576},
    {"egret.filters.network.v1.HttpConnection.Limits.header_count", kNumber, 10, 10'000},
    {"egret.filters.network.v1.HttpConnection.Limits.requests_per_connection", kNumber, 1, 4'294'967'295},
    {"egret.filters.network.v1.HttpConnection.Http2.max_concurrent_streams", kNumber, 1, 10'000},
    {"egret.filters.network.v1.HttpConnection.Http2.stream_window_bytes", kNumber, 65'535, 16'777'216},
    {"egret.filters.network.v1.HttpConnection.Http2.connection_window_bytes", kNumber, 65'535, 268'435'456},
    {"egret.filters.network.v1.HttpConnection.Http2.max_age", kDuration, kSecond, 720 * kHour},
    {"egret.filters.network.v1.HttpConnection.Http2.FrameRate.burst", kRequired},
    {"egret.filters.network.v1.HttpConnection.Http2.FrameRate.burst", kNumber, 1, 1'000'000},
    {"egret.filters.network.v1.HttpConnection.Http2.FrameRate.per_second", kRequired},
    {"egret.filters.network.v1.HttpConnection.Http2.FrameRate.per_second", kNumber, 1, 1'000'000},
    {"egret.filters.network.v1.HttpConnection.Timeouts.idle", kDuration, kSecond, 24 * kHour},
    {"egret.filters.network.v1.HttpConnection.Timeouts.header", kDuration, 100 * kMs, 10 * kMinute},
    {"egret.filters.network.v1.HttpConnection.Timeouts.body", kDuration, kSecond, 24 * kHour},
    {"egret.filters.network.v1.HttpConnection.Timeouts.write", kDuration, kSecond, 24 * kHour},
    {"egret.filters.network.v1.HttpConnection.Timeouts.request", kDuration, kSecond, 24 * kHour},
    {"egret.filters.network.v1.HttpConnection.Timeouts.client_fin_grace", kDuration, 10 * kMs, kHour},

    // HTTP filters.
    {"egret.filters.http.v1.EgressPolicy.policies", kCount, 0, 16},
    {"egret.filters.http.v1.RateLimit.per", kRequired},
    {"egret.filters.http.v1.RateLimit.tunnels", kNumber, 1, 10'000'000},
    {"egret.config.v1.TokenBucket.rate", kRequired},
    {"egret.config.v1.TokenBucket.rate", kNumber, 1, 1'000'000},
    {"egret.config.v1.TokenBucket.burst", kRequired},
    {"egret.config.v1.TokenBucket.burst", kNumber, 1, 1'000'000'000},
    {"egret.filters.http.v1.ConnectTunnel.idle_timeout", kDuration, kSecond, 24 * kHour},
    {"egret.filters.http.v1.ConnectTunnel.max_lifetime", kDuration, kSecond, kYear},
    {"egret.filters.http.v1.ConnectTunnel.half_closed_timeout", kDuration, kSecond, kHour},
    {"egret.filters.http.v1.ConnectTunnel.connect_timeout", kDuration, 100 * kMs, 120 * kSecond},
    {"egret.filters.http.v1.HeaderRewrite.Operation.remove", kHeader},
    {"egret.filters.http.v1.HeaderRewrite.Header.name", kRequired},
    {"egret.filters.http.v1.HeaderRewrite.Header.name", kHeader},
    {"egret.filters.http.v1.HeaderRewrite.Header.value", kFieldText},
    {"egret.filters.http.v1.HeaderRewrite.Header.value", kLength, 0, 8192},
    {"egret.filters.http.v1.BodyRewrite.request", kCount, 0, 16},
    {"egret.filters.http.v1.BodyRewrite.response", kCount, 0, 16},
    {"egret.filters.http.v1.BodyRewrite.content_types", kCount, 0, 64},
    {"egret.filters.http.v1.BodyRewrite.content_types", kMediaType},
    {"egret.filters.http.v1.BodyRewrite.max_bytes", kNumber, 1024, 16'777'216},
    {"egret.filters.http.v1.BodyRewrite.Replace.text", kRequired},
    {"egret.filters.http.v1.BodyRewrite.Replace.text", kLength, 1, 1024},
    {"egret.filters.http.v1.BodyRewrite.Replace.pattern", kRequired},
    {"egret.filters.http.v1.BodyRewrite.Replace.pattern", kLength, 1, 1024},
    {"egret.filters.http.v1.BodyRewrite.Replace.with", kLength, 0, 8192},
    {"egret.filters.http.v1.BodyRewrite.Insert.at", kRequired},
    {"egret.filters.http.v1.BodyRewrite.Insert.text", kRequired},
    {"egret.filters.http.v1.BodyRewrite.Insert.text", kLength, 1, 65'536},
    {"egret.filters.http.v1.ForwardRouter.connect_timeout", kDuration, 100 * kMs, 120 * kSecond},
    {"egret.filters.http.v1.ForwardRouter.response_header_timeout", kDuration, kSecond, 24 * kHour},
    {"egret.filters.http.v1.ForwardRouter.Pool.max_idle_per_key", kNumber, 0, 10'000},
    {"egret.filters.http.v1.ForwardRouter.Pool.idle_timeout", kDuration, kSecond, kHour},
    {"egret.filters.http.v1.ForwardRouter.Pool.max_connections_per_key", kNumber, 1, 100'000},

    // Next hops.
    {"egret.config.v1.Upstream.HttpProxy.address", kRequired},
    {"egret.config.v1.Upstream.HttpProxy.address", kServer},
    {"egret.config.v1.ClientTls.server_name", kHost},
};

}  // namespace

std::span<const FieldRule> FieldRules() { return kRules; }

}  // namespace egret
