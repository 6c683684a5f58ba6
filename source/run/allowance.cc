#include "source/run/allowance.h"

#include <cstdint>
#include <optional>
#include <utility>

#include "source/base/ip.h"
#include "source/base/strings.h"

namespace egret {
namespace {

using config::v1::Rule;
using config::v1::To;

struct Parts {
  std::string_view host;
  std::string_view port;  // empty: none is given
};

// "[2001:db8::1]:443", "2001:db8::1" (never with a port), "example.com:443".
Parts Split(std::string_view text) {
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    if (end == std::string_view::npos) return {text, {}};
    const std::string_view rest = text.substr(end + 1);
    return {text.substr(1, end - 1), rest.starts_with(':') ? rest.substr(1) : rest};
  }
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos || text.find(':', colon + 1) != std::string_view::npos) return {text, {}};
  return {text.substr(0, colon), text.substr(colon + 1)};
}

// "example.com:8080" -> "allow-example-com-8080": what the log and denials call it.
std::string NameOfRule(std::string_view text) {
  constexpr size_t kMost = 63;
  std::string name = "allow";
  bool apart = true;
  for (const char c : text) {
    const bool plain = IsAsciiLetter(c) || IsAsciiDigit(c);
    if (plain && apart) name += '-';
    if (plain) name += AsciiLower(c);
    apart = !plain;
  }
  return name.substr(0, kMost);
}

}  // namespace

Result<Rule, Problem> RuleOf(std::string_view text, const std::vector<std::string>& private_ranges) {
  if (const size_t scheme = text.find("://"); scheme != std::string_view::npos) {
    std::string_view rest = text.substr(scheme + 3);
    return Problem{Cat(text, ": a host is wanted, not a URL; write ", SplitFirst(rest, '/'))};
  }
  const Parts parts = Split(text);
  Rule rule;
  rule.set_name(NameOfRule(text));
  rule.set_action(Rule::ALLOW);
  To& to = *rule.mutable_to();
  const std::string host(parts.host);
  if (IpAddress::Parse(host.substr(0, host.find('/')))) {
    to.add_cidrs(host);
    rule.add_reaches_private(host);
  } else {
    to.add_domains(host);
    for (const std::string& range : private_ranges) rule.add_reaches_private(range);
  }
  if (parts.port.empty()) return rule;
  const std::optional<uint16_t> port = ParseDecimal<uint16_t>(parts.port);
  if (!port || *port == 0) return Problem{Cat(text, ": ", parts.port, " is no port; write a number from 1 to 65535")};
  to.add_ports(*port);
  if (*port != 80 && *port != 443)
    for (const auto protocol : {To::TLS, To::HTTP, To::OTHER}) to.add_protocols(protocol);
  return rule;
}

}  // namespace egret
