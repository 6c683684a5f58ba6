#include "source/filters/request_target.h"

#include <optional>
#include <utility>

#include "source/base/strings.h"

namespace egret {
namespace {

bool Same(const Target& a, const Target& b) { return a.host == b.host && a.literal == b.literal && a.port == b.port; }

// Host beside a CONNECT must agree where it is sent; its port may be left out.
Fault ResolveConnect(Exchange& exchange) {
  const Head& head = exchange.request.head;
  Result<Target, Fault> target = ParseAuthority(head.authority, std::nullopt);
  if (!target) return Fault::kHttpConnectTarget;
  if (const Field* host = head.Find(FieldName::kHost)) {
    const Result<Target, Fault> said = ParseAuthority(host->value, target->port);
    if (!said) return Fault::kHttpHost;
    if (!Same(*said, *target)) return Fault::kHttpHostMismatch;
  }
  exchange.target = std::move(*target);
  return Fault::kNone;
}

// Whether `scheme` is https; an error where it is neither that nor http.
Result<bool, Fault> IsHttps(std::string_view scheme) {
  if (EqualsIgnoreCase(scheme, "https")) return true;
  if (EqualsIgnoreCase(scheme, "http")) return false;
  return Fault::kHttpScheme;
}

// The authority of the target wins, whatever Host says (RFC 9112 3.2.2).
Fault ResolveAbsolute(Exchange& exchange, bool https_in_clear) {
  const Head& head = exchange.request.head;
  const Result<bool, Fault> https = IsHttps(head.scheme);
  if (!https) return https.error();
  if (*https && !https_in_clear && exchange.connection().tls == nullptr) return Fault::kHttpsInClear;
  exchange.secure = *https;
  Result<Target, Fault> target = ParseAuthority(head.authority, exchange.default_port());
  if (!target) return Fault::kHttpTarget;
  exchange.target = std::move(*target);
  return Fault::kNone;
}

// As an origin reads it (RFC 9112 3.2): Host, or the authority of an absolute-form, whose scheme has to be what the
// connection is (RFC 9110 7.4).
Result<Target, Fault> AskedOfOrigin(const Exchange& exchange, uint16_t default_port) {
  const Head& head = exchange.request.head;
  if (head.form == TargetForm::kAuthority) return Fault::kMisdirected;
  std::string_view authority = head.authority;
  if (head.form == TargetForm::kAbsolute) {
    const Result<bool, Fault> https = IsHttps(head.scheme);
    if (!https) return https.error();
    if (*https != exchange.secure) return Fault::kMisdirected;
  } else {
    const Field* host = head.Find(FieldName::kHost);
    if (host == nullptr) return Fault::kHttpHost;
    authority = host->value;
  }
  Result<Target, Fault> target = ParseAuthority(authority, default_port);
  if (!target) return Fault::kHttpHost;
  return target;
}

// Every request inside a tunnel must be for the tunnel's own destination.
Fault ResolveInTunnel(Exchange& exchange) {
  exchange.secure = exchange.connection().decrypted();
  Result<Target, Fault> target = AskedOfOrigin(exchange, exchange.default_port());
  if (!target) return target.error();
  if (!Same(*target, *exchange.connection().target)) return Fault::kMisdirected;
  exchange.target = std::move(*target);
  return Fault::kNone;
}

// Below a transparent listener each request says where it goes, and the connection on which port.
Fault ResolveHost(Exchange& exchange) {
  const uint16_t port = exchange.connection().original_destination->port;
  Result<Target, Fault> target = AskedOfOrigin(exchange, port);
  if (!target) return target.error();
  if (target->port != port) return Fault::kMisdirected;
  exchange.target = std::move(*target);
  return Fault::kNone;
}

}  // namespace

Fault ResolveTarget(Exchange& exchange, const HttpConnectionOptions& options) {
  using Mode = HttpConnectionOptions::Target;
  const Mode mode = options.target;
  if (exchange.request.head.method == "TRACE") return Fault::kHttpTrace;
  if (exchange.connection().judge_requests && (mode == Mode::kHost || mode == Mode::kByPlace))
    return ResolveHost(exchange);
  const bool inside =
      mode == Mode::kTunnel || (mode != Mode::kAbsoluteForm && exchange.connection().target.has_value());
  if (inside) return ResolveInTunnel(exchange);
  switch (exchange.request.head.form) {
    case TargetForm::kAuthority:
      return ResolveConnect(exchange);
    case TargetForm::kAbsolute:
      return ResolveAbsolute(exchange, options.https_in_clear);
    case TargetForm::kOrigin:
    case TargetForm::kAsterisk:
      return Fault::kHttpTargetForm;
  }
  return Fault::kHttpTargetForm;
}

}  // namespace egret
