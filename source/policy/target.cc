#include "source/policy/target.h"

#include <algorithm>
#include <utility>

#include "source/base/strings.h"

namespace egret {
namespace {

constexpr size_t kMaxName = 253;
constexpr size_t kMaxLabel = 63;

struct Host {
  std::string text;
  std::optional<IpAddress> literal;
};

Host LiteralHost(const IpAddress& address) { return {address.ToString(), address}; }

// What inet_aton() and its likes would read as a number ends in such a label (WHATWG URL 3.5 has the same test).
bool EndsInNumber(std::string_view name) {
  const std::string_view last = name.substr(name.rfind('.') + 1);  // npos + 1 is 0: the whole name
  return std::all_of(last.begin(), last.end(), IsAsciiDigit) || last.starts_with("0x");
}

std::optional<Host> ParseName(std::string_view text) {
  if (text.ends_with('.')) text.remove_suffix(1);
  if (text.empty() || text.size() > kMaxName) return std::nullopt;
  std::string name(text);
  size_t label = 0;
  for (char& c : name) {
    c = AsciiLower(c);
    if (c == '.') {
      if (label == 0) return std::nullopt;
      label = 0;
    } else if ((c >= 'a' && c <= 'z') || IsAsciiDigit(c) || c == '-' || c == '_') {
      if (++label > kMaxLabel) return std::nullopt;
    } else {
      return std::nullopt;
    }
  }
  if (label == 0) return std::nullopt;
  if (!EndsInNumber(name)) return Host{std::move(name), std::nullopt};
  const auto address = IpAddress::Parse(name);
  if (!address) return std::nullopt;
  return LiteralHost(*address);
}

std::optional<uint16_t> ParsePort(std::string_view text) {
  if (text.starts_with('0')) return std::nullopt;  // the port 0, or a second spelling of another
  return ParseDecimal<uint16_t>(text);
}

// Splits "host:port" or "[v6]:port"; without a colon after the host, `port` is nullopt.
bool SplitAuthority(std::string_view wire, std::string_view& host, std::optional<std::string_view>& port) {
  const size_t end = wire.starts_with('[') ? wire.find(']') : wire.find(':');
  if (wire.starts_with('[')) {
    if (end == std::string_view::npos) return false;
    host = wire.substr(0, end + 1);
  } else {
    host = wire.substr(0, end);
  }
  const std::string_view rest = wire.substr(host.size());
  if (rest.empty()) return true;
  if (rest.front() != ':') return false;
  port = rest.substr(1);
  return true;
}

std::optional<Host> ParseHost(std::string_view text) {
  if (!text.starts_with('[')) return ParseName(text);
  text = text.substr(1, text.size() - 2);
  if (text.find(':') == std::string_view::npos) return std::nullopt;  // "[127.0.0.1]"
  const auto address = IpAddress::Parse(text);
  if (!address) return std::nullopt;
  return LiteralHost(*address);
}

}  // namespace

Target Target::Of(const IpAddress& address, uint16_t port) { return {address.ToString(), address, port}; }

std::string Target::Authority(uint16_t default_port) const {
  const bool bracketed = literal && !literal->v4();
  std::string out = bracketed ? Cat('[', host, ']') : host;
  if (port != default_port || default_port == 0) Append(out, ':', port);
  return out;
}

Result<Target, Fault> ParseAuthority(std::string_view wire, std::optional<uint16_t> default_port) {
  std::string_view host_text;
  std::optional<std::string_view> port_text;
  if (!SplitAuthority(wire, host_text, port_text)) return Fault::kHttpTarget;
  auto host = ParseHost(host_text);
  const auto port = port_text ? ParsePort(*port_text) : default_port;
  if (!host || !port || *port == 0) return Fault::kHttpTarget;
  return Target{std::move(host->text), host->literal, *port};
}

std::optional<Target> ParseServerName(std::string_view sni, uint16_t port) {
  if (sni.find_first_of(":[") != std::string_view::npos) return std::nullopt;
  Result<Target, Fault> shown = ParseAuthority(sni, port);
  if (!shown) return std::nullopt;
  return std::move(*shown);
}

std::optional<std::string> CanonicalName(std::string_view wire) {
  auto host = ParseName(wire);
  if (!host || host->literal) return std::nullopt;
  return std::move(host->text);
}

}  // namespace egret
