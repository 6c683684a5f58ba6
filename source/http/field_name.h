// The field names that Egret itself looks at, so that they are compared once, when a head is read.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace egret {

enum class FieldName : uint8_t {
  kOther,
  kAuthorization,
  kConnection,
  kContentLength,
  kCookie,
  kDate,
  kExpect,
  kForwarded,
  kHost,
  kHttp2Settings,
  kKeepAlive,
  kMaxForwards,
  kProxyAuthenticate,
  kProxyAuthenticationInfo,
  kProxyAuthorization,
  kProxyConnection,
  kProxyStatus,
  kServer,
  kTe,
  kTrailer,
  kTransferEncoding,
  kUpgrade,
  kVia,
  kWwwAuthenticate,
  kXForwardedFor,
  kXForwardedHost,
  kXForwardedProto,
  kCount,
};

// Without regard to case; kOther where it is none of them.
FieldName LookUpFieldName(std::string_view name);
// In the form in which Egret writes it.
std::string_view TextOf(FieldName name);

// Some of the known names.
class FieldNames {
 public:
  constexpr FieldNames() = default;
  constexpr FieldNames(std::initializer_list<FieldName> names) {
    for (const FieldName name : names) Add(name);
  }
  constexpr void Add(FieldName name) { bits_ |= uint32_t{1} << static_cast<unsigned>(name); }
  constexpr bool Has(FieldName name) const { return (bits_ >> static_cast<unsigned>(name) & 1u) != 0; }
  constexpr bool HasAnyOf(FieldNames others) const { return (bits_ & others.bits_) != 0; }

 private:
  static_assert(static_cast<unsigned>(FieldName::kCount) <= 32);
  uint32_t bits_ = 0;
};

// RFC 9110 7.6.1 and what is hop-by-hop by habit: never forwarded as it came. (TE is re-made where it says trailers.)
inline constexpr FieldNames kHopByHop = {
    FieldName::kConnection,
    FieldName::kHttp2Settings,
    FieldName::kKeepAlive,
    FieldName::kProxyAuthenticate,
    FieldName::kProxyAuthenticationInfo,
    FieldName::kProxyAuthorization,
    FieldName::kProxyConnection,
    FieldName::kTe,
    FieldName::kTransferEncoding,
    FieldName::kUpgrade,
};

// Says where a message ends, belongs to one connection (RFC 9110 7.6.1, RFC 9112 6) or to a proxy: for no one else to
// set, add or remove.
bool IsForProxy(std::string_view name);

// Not for framing, routing, authentication, conditions and what describes the content (RFC 9110 6.5.1): for all that
// somebody may already have acted on when the trailers come.
bool MayBeTrailer(std::string_view name);

}  // namespace egret
