// What field names and values may be made of (RFC 9110 5.1, 5.5, 5.6), and lists in values.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "source/base/strings.h"

namespace egret {
namespace field_value_internal {

constexpr std::array<bool, 256> kTokenBytes = [] {
  std::array<bool, 256> table{};
  for (const char c : std::string_view("!#$%&'*+-.^_`|~")) table[static_cast<uint8_t>(c)] = true;
  for (size_t c = '0'; c <= '9'; ++c) table[c] = true;
  for (size_t c = 'A'; c <= 'Z'; ++c) table[c] = true;
  for (size_t c = 'a'; c <= 'z'; ++c) table[c] = true;
  return table;
}();

}  // namespace field_value_internal

// Visible ASCII, space, tab and bytes from 0x80 on: nothing that could end a line.
constexpr bool IsFieldByte(char c) {
  const auto byte = static_cast<uint8_t>(c);
  return ((byte >= 0x20) & (byte != 0x7f)) | (byte == '\t');
}
// How many bytes at the front are field bytes. Eight at a time, since every byte of every head passes here: a block
// that may hold a control character or DEL (bit tricks as in Hacker's Delight 6-1) is looked at byte by byte.
inline size_t CountFieldBytes(std::string_view text) {
  constexpr uint64_t kOnes = 0x0101010101010101, kHighs = 0x80 * kOnes;
  size_t count = 0;
  while (count < text.size()) {
    if (text.size() - count >= sizeof(uint64_t)) {
      uint64_t block;
      std::memcpy(&block, text.data() + count, sizeof block);
      const uint64_t del = block ^ (0x7f * kOnes);
      const uint64_t suspect = ((block - 0x20 * kOnes) & ~block) | ((del - kOnes) & ~del);
      if ((suspect & kHighs) == 0) {
        count += sizeof block;
        continue;
      }
    }
    const size_t end = std::min(text.size(), count + sizeof(uint64_t));
    while (count < end && IsFieldByte(text[count])) ++count;
    if (count < end) break;
  }
  return count;
}
inline bool IsFieldValue(std::string_view text) { return CountFieldBytes(text) == text.size(); }
constexpr bool IsToken(std::string_view text) {
  for (const char c : text)
    if (!field_value_internal::kTokenBytes[static_cast<uint8_t>(c)]) return false;
  return !text.empty();
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
