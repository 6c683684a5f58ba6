// What field names and values may be made of (RFC 9110 5.1, 5.5, 5.6), and lists in values.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
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
namespace field_value_internal {

// Of eight bytes, a high bit in the first one that is a control character or DEL, and none before it (bit tricks as in
// Hacker's Delight 6-1).
inline uint64_t FindControl(const char* eight) {
  constexpr uint64_t kOnes = 0x0101010101010101, kHighs = 0x80 * kOnes;
  uint64_t block;
  std::memcpy(&block, eight, sizeof block);
  if constexpr (std::endian::native == std::endian::big) block = __builtin_bswap64(block);
  const uint64_t del = block ^ (0x7f * kOnes);
  return (((block - 0x20 * kOnes) & ~block) | ((del - kOnes) & ~del)) & kHighs;
}

}  // namespace field_value_internal

// How many bytes at the front are field bytes. Eight at a time, since every byte of every head passes here.
inline size_t CountFieldBytes(std::string_view text) {
  using field_value_internal::FindControl;
  constexpr size_t kBlock = sizeof(uint64_t);
  size_t count = 0;
  for (; text.size() - count >= kBlock; count += kBlock) {
    if (const uint64_t control = FindControl(text.data() + count)) {
      count += static_cast<size_t>(std::countr_zero(control)) / 8;
      break;
    }
  }
  // The rest, and before it what was looked at already.
  const bool short_rest = text.size() - count < kBlock;
  if (short_rest && text.size() >= kBlock && FindControl(text.data() + text.size() - kBlock) == 0) return text.size();
  while (count < text.size() && IsFieldByte(text[count])) ++count;  // past tabs
  return count;
}
inline bool IsFieldValue(std::string_view text) { return CountFieldBytes(text) == text.size(); }
// How many bytes at the front may stand in a token.
constexpr size_t CountTokenBytes(std::string_view text) {
  size_t count = 0;
  while (count < text.size() && field_value_internal::kTokenBytes[static_cast<uint8_t>(text[count])]) ++count;
  return count;
}
constexpr bool IsToken(std::string_view text) { return !text.empty() && CountTokenBytes(text) == text.size(); }
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
