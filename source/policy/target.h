// Where a request wants to go, in the one canonical form that is matched, resolved, dialled and logged. It is made
// once, here; nothing later changes a name's spelling.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "source/base/failure.h"
#include "source/base/ip.h"
#include "source/base/result.h"

namespace egret {

struct Target {
  std::string host;  // a canonical name, or the literal's text without brackets
  std::optional<IpAddress> literal;
  uint16_t port = 0;  // never 0 in a target that ParseAuthority made

  static Target Of(const IpAddress& address, uint16_t port);
  std::string ToString() const { return Authority(0); }  // "example.com:443", "[2001:db8::1]:443"
  // What Host carries (RFC 9110 7.2): the port is left out where it is the default one.
  std::string Authority(uint16_t default_port) const;

  friend bool operator==(const Target&, const Target&) = default;
};

// "host:port" as it stands on the wire: CONNECT's target, absolute-form's authority, :authority, Host. Names are ASCII,
// lower-cased, one trailing dot removed: labels of 1 to 63 letters, digits, '-' and '_', at most 253 bytes. A name
// whose last label is all digits or begins "0x" must be a strict dotted quad: what inet_aton() would take as octal,
// hex, decimal or short form is refused. IPv6 only in brackets and without zone; an IPv4-mapped address is the IPv4
// address. Refused: userinfo, port 0, above 65535 or empty, a missing port where there is no default. Always
// kHttpTarget; the caller says which part of a message it was.
Result<Target, Fault> ParseAuthority(std::string_view wire, std::optional<uint16_t> default_port);

// The server name of a ClientHello as the target that it stands for; nullopt where it is none: a port, brackets, an
// IPv6 address (RFC 6066 3 has no place for them).
std::optional<Target> ParseServerName(std::string_view sni, uint16_t port);

// A name alone in the same canonical form, such as an SNI; nullopt where it is none, or is an address.
std::optional<std::string> CanonicalName(std::string_view wire);

}  // namespace egret
