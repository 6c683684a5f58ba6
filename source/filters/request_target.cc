#include "source/filters/request_target.h"

#include <optional>
#include <utility>

#include "source/base/strings.h"

namespace egret {
namespace {

constexpr uint16_t kHttpPort = 80;

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

// The authority of the target wins, whatever Host says (RFC 9112 3.2.2).
Fault ResolveAbsolute(Exchange& exchange) {
  const Head& head = exchange.request.head;
  if (!EqualsIgnoreCase(head.scheme, "http")) return Fault::kHttpScheme;
  Result<Target, Fault> target = ParseAuthority(head.authority, kHttpPort);
  if (!target) return Fault::kHttpTarget;
  exchange.target = std::move(*target);
  return Fault::kNone;
}

// As an origin reads it (RFC 9112 3.2): Host, or the authority of an absolute-form.
Result<Target, Fault> AskedOfOrigin(const Head& head, uint16_t default_port) {
  if (head.form == TargetForm::kAuthority) return Fault::kMisdirected;
  std::string_view authority = head.authority;
  if (head.form == TargetForm::kAbsolute) {
    if (!EqualsIgnoreCase(head.scheme, "http")) return Fault::kHttpScheme;
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
  Result<Target, Fault> target = AskedOfOrigin(exchange.request.head, kHttpPort);
  if (!target) return target.error();
  if (!Same(*target, *exchange.connection().target)) return Fault::kMisdirected;
  exchange.target = std::move(*target);
  return Fault::kNone;
}

// Below a transparent listener each request says where it goes, and the connection on which port.
Fault ResolveHost(Exchange& exchange) {
  const uint16_t port = exchange.connection().original_destination->port;
  Result<Target, Fault> target = AskedOfOrigin(exchange.request.head, port);
  if (!target) return target.error();
  if (target->port != port) return Fault::kMisdirected;
  exchange.target = std::move(*target);
  return Fault::kNone;
}

}  // namespace

Fault ResolveTarget(Exchange& exchange, HttpConnectionOptions::Target mode) {
  using Mode = HttpConnectionOptions::Target;
  if (exchange.connection().judge_requests && (mode == Mode::kHost || mode == Mode::kByPlace))
    return ResolveHost(exchange);
  const bool inside =
      mode == Mode::kTunnel || (mode != Mode::kAbsoluteForm && exchange.connection().target.has_value());
  if (exchange.request.head.method == "TRACE") return Fault::kHttpTrace;
  if (inside) return ResolveInTunnel(exchange);
  switch (exchange.request.head.form) {
    case TargetForm::kAuthority:
      return ResolveConnect(exchange);
    case TargetForm::kAbsolute:
      return ResolveAbsolute(exchange);
    case TargetForm::kOrigin:
    case TargetForm::kAsterisk:
      return Fault::kHttpTargetForm;
  }
  return Fault::kHttpTargetForm;
}

}  // namespace egret
