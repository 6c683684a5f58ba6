#include "source/policy/pattern.h"

#include <idn2.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

#include "source/base/ip.h"
#include "source/base/strings.h"
#include "source/policy/target.h"

namespace egret {
namespace {

bool IsAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// U-labels to A-labels; empty where that is not possible.
std::string ToAscii(const std::string& text) {
  if (text.find('\0') != std::string::npos) return {};
  uint8_t* out = nullptr;
  const int rc =
      idn2_lookup_u8(reinterpret_cast<const uint8_t*>(text.c_str()), &out, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
  std::string ascii = rc == IDN2_OK ? reinterpret_cast<const char*>(out) : "";
  idn2_free(out);
  return ascii;
}

// What people write instead of a name, and what they should.
std::optional<std::string> CommonMistake(std::string_view name, std::string_view whole) {
  if (whole.find("://") != std::string_view::npos)
    return "a scheme has no place here; write the name alone, and select paths with http.path_prefixes";
  if (whole == "*") return "\"*\" is no name; leave out the list, and an ALLOW takes any name on 80 and 443";
  if (name.find('*') != std::string_view::npos)
    return "\"*\" stands only at the front, as in \"*.example.com\", for any depth below it";
  if (name.find('/') != std::string_view::npos)
    return Cidr::Parse(name) ? "this is an address range; write it under to.cidrs"
                             : "a path has no place here; write the name alone, and use http.path_prefixes";
  if (name.starts_with('[') || IpAddress::Parse(name)) return "this is an address; write it under to.cidrs";
  if (name.find('@') != std::string_view::npos) return "user information has no place here; write the name alone";
  if (const size_t colon = name.rfind(':'); colon != std::string_view::npos)
    return Cat("a port has no place here; write \"", whole.substr(0, whole.rfind(':')), "\" and to.ports: [",
               name.substr(colon + 1), "]");
  if (name != TrimOws(name)) return "white space around the name; remove it";
  return std::nullopt;
}

}  // namespace

bool DomainPattern::Matches(std::string_view canonical_name) const {
  if (canonical_name == name) return kind != Kind::kBelow;
  if (kind == Kind::kExact || canonical_name.size() <= name.size()) return false;
  return canonical_name.ends_with(name) && canonical_name[canonical_name.size() - name.size() - 1] == '.';
}

Result<DomainPattern, std::string> ParsePattern(std::string_view text) {
  using R = Result<DomainPattern, std::string>;
  DomainPattern out;
  std::string_view rest = text;
  if (rest.starts_with("*.")) {
    out.kind = DomainPattern::Kind::kBelow;
    rest.remove_prefix(2);
  } else if (rest.starts_with('.')) {
    out.kind = DomainPattern::Kind::kBoth;
    rest.remove_prefix(1);
  }
  if (rest.empty()) return R(std::string("there is no name here; write one such as \"example.com\""));
  if (auto mistake = CommonMistake(rest, text)) return R(std::move(*mistake));
  std::string ascii(rest);
  if (!IsAscii(rest)) {
    ascii = ToAscii(ascii);
    if (ascii.empty()) return R(std::string("not a valid internationalised name (UTS 46); write its xn-- form"));
  }
  if (auto name = CanonicalName(ascii)) {
    out.name = std::move(*name);
    return R(std::move(out));
  }
  if (ParseAuthority(ascii, 1)) return R(std::string("this is an address; write it under to.cidrs"));
  return R(std::string(
      "not a name; labels are 1 to 63 letters, digits, '-' or '_', 253 bytes in all, and the last is no number"));
}

}  // namespace egret
