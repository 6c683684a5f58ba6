#include "source/config/address.h"

#include <algorithm>
#include <optional>

#include "source/base/strings.h"
#include "source/policy/target.h"

namespace egret {
namespace {

constexpr std::string_view kUnix = "unix:";
constexpr size_t kLongestUnixPath = 107;  // sun_path, with its NUL
constexpr size_t kLongestName = 253;

bool IsHostName(std::string_view name) {
  if (name.empty() || name.size() > kLongestName) return false;
  for (std::string_view rest = name; !rest.empty();) {
    const std::string_view label = SplitFirst(rest, '.');
    const bool plain = std::all_of(label.begin(), label.end(), [](char c) {
      return IsAsciiDigit(c) || (AsciiLower(c) >= 'a' && AsciiLower(c) <= 'z') || c == '-' || c == '_';
    });
    if (label.empty() || label.size() > 63 || !plain) return false;
  }
  // A last label of digits only would be read as an address by some (WHATWG URL); addresses have been tried before.
  const size_t last = name.rfind('.') == name.npos ? 0 : name.rfind('.') + 1;
  return name.substr(last).find_first_not_of("0123456789") != name.npos;
}

bool IsAny(const IpAddress& address) { return address == IpAddress() || address == IpAddress::V6({}); }

Unfit NotListenable() {
  return {"not an address and port", "write e.g. 127.0.0.1:3128, \"[::]:3128\" or unix:/run/egret/proxy.sock"};
}

}  // namespace

Result<SocketPlace, Unfit> ParseListenAddress(std::string_view text) {
  SocketPlace address;
  if (text.starts_with(kUnix)) {
    address.unix_path = text.substr(kUnix.size());
    if (!address.unix_path.starts_with('/')) return Unfit{"not an absolute path", "write unix:/..."};
    if (address.unix_path.size() > kLongestUnixPath) return Unfit{"longer than 107 bytes", "choose a shorter path"};
    return address;
  }
  const auto endpoint = Endpoint::Parse(text);
  if (endpoint) {
    address.endpoint = *endpoint;
    return address;
  }
  if (text.starts_with("localhost:")) return Unfit{"a name, not an address", Cat("write 127.0.0.1", text.substr(9))};
  return NotListenable();
}

bool Clash(const SocketPlace& a, const SocketPlace& b) {
  if (a.unix() || b.unix()) return a.unix_path == b.unix_path;
  if (a.endpoint.port != b.endpoint.port || a.endpoint.port == 0) return false;
  const IpAddress& x = a.endpoint.address;
  const IpAddress& y = b.endpoint.address;
  if (x == y) return true;
  const auto covers = [](const IpAddress& any, const IpAddress& other) {
    return IsAny(any) && (!any.v4() || other.v4());
  };
  return covers(x, y) || covers(y, x);
}

bool IsLoopback(const IpAddress& address) {
  std::array<uint8_t, 16> six{};
  six[15] = 1;
  return address.v4() ? address.v4_bits() >> 24 == 127 : address == IpAddress::V6(six);
}

Result<HostPort, Unfit> ParseHostPort(std::string_view text) {
  const Unfit unusual{"not written plainly", "write host:port without leading zeros, e.g. proxy.example:8080"};
  if (const auto endpoint = Endpoint::Parse(text);
      endpoint && endpoint->port != 0 && !ParseAuthority(text, std::nullopt))
    return unusual;
  if (const auto endpoint = Endpoint::Parse(text); endpoint && endpoint->port != 0)
    return HostPort{endpoint->address.ToString(), endpoint->port};
  const size_t colon = text.rfind(':');
  if (colon == text.npos) return Unfit{"no port", Cat("write host:port, e.g. proxy.example:8080")};
  const auto port = ParseDecimal<uint16_t>(text.substr(colon + 1));
  if (!port || *port == 0) return Unfit{"not a port", "write host:port with a port from 1 to 65535"};
  const std::string_view host = text.substr(0, colon);
  if (host.find("://") != host.npos) return Unfit{"a URL", "write host:port, without a scheme"};
  if (!IsHostName(host)) return Unfit{"neither a host name nor an address", "write host:port, e.g. proxy.example:8080"};
  if (!ParseAuthority(text, std::nullopt)) return unusual;  // what dials it reads it as it reads any authority
  return HostPort{ToLower(host), *port};
}

bool IsThisHost(std::string_view server) {
  const auto place = ParseHostPort(server);
  if (!place) return false;
  const auto literal = IpAddress::Parse(place->host);
  return literal ? IsLoopback(*literal) : place->host == "localhost";
}

}  // namespace egret
