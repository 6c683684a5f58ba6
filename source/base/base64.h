// Base64 (RFC 4648 4), with padding, and its form for URLs (RFC 4648 5), without. Only what an encoder writes is
// decoded: no white space, no missing or needless padding, no bits set that belong to no byte.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace egret {

inline constexpr std::string_view kBase64Digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
inline constexpr std::string_view kBase64UrlDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

inline std::string Base64(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (; !bytes.empty(); bytes.remove_prefix(bytes.size() < 3 ? bytes.size() : 3)) {
    uint32_t group = 0;
    for (size_t i = 0; i < 3; ++i) group = group << 8u | (i < bytes.size() ? static_cast<uint8_t>(bytes[i]) : 0u);
    for (size_t i = 0; i < 4; ++i) out += i <= bytes.size() ? kBase64Digits[group >> (18 - 6 * i) & 63u] : '=';
  }
  return out;
}

// Of digits alone.
inline std::optional<std::string> FromBase64Digits(std::string_view text, std::string_view digits) {
  std::string out;
  out.reserve(text.size() / 4 * 3 + 2);
  uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : text) {
    const size_t value = digits.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    bits = bits << 6u | static_cast<uint32_t>(value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out += static_cast<char>(bits >> count & 0xffu);
  }
  if (count >= 6 || (bits & ((1u << count) - 1u)) != 0) return std::nullopt;
  return out;
}

inline std::optional<std::string> FromBase64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  return FromBase64Digits(text, kBase64Digits);
}

inline std::optional<std::string> FromBase64Url(std::string_view text) {
  return FromBase64Digits(text, kBase64UrlDigits);
}

}  // namespace egret
