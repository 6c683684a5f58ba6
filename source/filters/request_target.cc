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

// Every request inside a tunnel must be for the tunnel's own destination.
Fault ResolveInTunnel(Exchange& exchange) {
  const Head& head = exchange.request.head;
  const Target& tunnel = *exchange.connection().target;
  if (head.form == TargetForm::kAuthority) return Fault::kMisdirected;
  std::string_view authority = head.authority;
  if (head.form == TargetForm::kAbsolute) {
    if (!EqualsIgnoreCase(head.scheme, "http")) return Fault::kHttpScheme;
  } else {
    const Field* host = head.Find(FieldName::kHost);
    if (host == nullptr) return Fault::kHttpHost;
    authority = host->value;
  }
  Result<Target, Fault> target = ParseAuthority(authority, kHttpPort);
  if (!target) return Fault::kHttpHost;
  if (!Same(*target, tunnel)) return Fault::kMisdirected;
  exchange.target = std::move(*target);
  return Fault::kNone;
}

}  // namespace

Fault ResolveTarget(Exchange& exchange, HttpConnectionOptions::Target mode) {
  using Mode = HttpConnectionOptions::Target;
  const bool inside = mode == Mode::kTunnel || (mode == Mode::kByPlace && exchange.connection().target.has_value());
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
