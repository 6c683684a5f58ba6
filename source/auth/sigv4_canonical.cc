#include "source/auth/sigv4_canonical.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "source/base/strings.h"

namespace egret {
namespace {

int HexDigit(char c) {
  if (IsAsciiDigit(c)) return c - '0';
  const char lower = AsciiLower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// RFC 3986 2.3.
bool IsUnreserved(char c) {
  return IsAsciiLetter(c) || IsAsciiDigit(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

void AppendEscaped(std::string& to, char c) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  const auto octet = static_cast<unsigned char>(c);
  to += '%';
  to += kDigits[octet >> 4];
  to += kDigits[octet & 15];
}

std::string Escaped(std::string_view text, bool is_path) {
  std::string out;
  for (const char c : text) {
    if (IsUnreserved(c) || (is_path && c == '/'))
      out += c;
    else
      AppendEscaped(out, c);
  }
  return out;
}

std::string CanonicalPart(std::string_view text) {
  std::string spaced(text);
  std::replace(spaced.begin(), spaced.end(), '+', ' ');
  return Escaped(WithoutEscapes(spaced), false);
}

std::string CanonicalValue(std::string_view value) {
  std::string out(TrimOws(value));
  const auto both_spaces = [](char a, char b) { return a == ' ' && b == ' '; };
  out.erase(std::unique(out.begin(), out.end(), both_spaces), out.end());
  return out;
}

}  // namespace

std::string WithoutEscapes(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? HexDigit(text[i + 1]) : -1;
    const int low = high < 0 ? -1 : HexDigit(text[i + 2]);
    out += low < 0 ? text[i] : static_cast<char>(high * 16 + low);
    if (low >= 0) i += 2;
  }
  return out;
}

std::string CanonicalPath(std::string_view path) { return Escaped(WithoutEscapes(path), true); }

std::string CanonicalQuery(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> pairs;
  while (!query.empty()) {
    std::string_view value = SplitFirst(query, '&');
    if (value.empty()) continue;
    const std::string_view name = SplitFirst(value, '=');
    pairs.emplace_back(CanonicalPart(name), CanonicalPart(value));
  }
  std::sort(pairs.begin(), pairs.end());
  std::string out;
  for (const auto& [name, value] : pairs) Append(out, out.empty() ? "" : "&", name, '=', value);
  return out;
}

CanonicalFields CanonicalFieldsOf(std::span<const Field> fields) {
  std::map<std::string, std::string> values;
  for (const Field& field : fields) {
    const std::string value = CanonicalValue(field.value);
    const auto [at, is_first] = values.emplace(ToLower(field.name), value);
    if (!is_first) Append(at->second, ',', value);
  }
  CanonicalFields out;
  for (const auto& [name, value] : values) {
    Append(out.lines, name, ':', value, '\n');
    Append(out.names, out.names.empty() ? "" : ";", name);
  }
  return out;
}

}  // namespace egret
