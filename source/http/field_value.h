// What field names and values may be made of (RFC 9110 5.1, 5.5, 5.6), and lists in values.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "source/base/strings.h"

namespace egret {
namespace field_value_internal {

enum : uint8_t { kTokenByte = 1, kValueByte = 2 };

constexpr std::array<uint8_t, 256> kBytes = [] {
  std::array<uint8_t, 256> table{};
  for (size_t c = 0; c < table.size(); ++c)
    if (c == '\t' || (c >= 0x20 && c != 0x7f)) table[c] |= kValueByte;
  for (const char c : std::string_view("!#$%&'*+-.^_`|~")) table[static_cast<uint8_t>(c)] |= kTokenByte;
  for (size_t c = '0'; c <= '9'; ++c) table[c] |= kTokenByte;
  for (size_t c = 'A'; c <= 'Z'; ++c) table[c] |= kTokenByte;
  for (size_t c = 'a'; c <= 'z'; ++c) table[c] |= kTokenByte;
  return table;
}();

constexpr bool AllAre(std::string_view text, uint8_t kind) {
  for (const char c : text)
    if ((kBytes[static_cast<uint8_t>(c)] & kind) == 0) return false;
  return true;
}

}  // namespace field_value_internal

// Visible ASCII, space, tab and bytes from 0x80 on: nothing that could end a line.
constexpr bool IsFieldByte(char c) {
  return (field_value_internal::kBytes[static_cast<uint8_t>(c)] & field_value_internal::kValueByte) != 0;
}
constexpr bool IsFieldValue(std::string_view text) {
  return field_value_internal::AllAre(text, field_value_internal::kValueByte);
}
constexpr bool IsToken(std::string_view text) {
  return !text.empty() && field_value_internal::AllAre(text, field_value_internal::kTokenByte);
}

// Calls `visit` with each element of a comma-separated list, trimmed, empty ones left out. Not for lists whose elements
// may hold a comma in quotes.
template <class Visit>
void ForEachElement(std::string_view list, Visit visit) {
  while (!list.empty()) {
    const std::string_view element = TrimOws(SplitFirst(list, ','));
    if (!element.empty()) visit(element);
  }
}

// Whether the list has that element, without regard to case.
inline bool HasElement(std::string_view list, std::string_view wanted) {
  bool found = false;
  ForEachElement(list, [&](std::string_view element) { found = found || EqualsIgnoreCase(element, wanted); });
  return found;
}

}  // namespace egret
