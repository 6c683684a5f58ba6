// Bytes as hexadecimal digits in lower case.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace egret {

inline std::string ToHex(std::span<const unsigned char> bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const unsigned char byte : bytes) {
    out += kDigits[byte >> 4u];
    out += kDigits[byte & 15u];
  }
  return out;
}

inline std::string ToHex(std::string_view bytes) {
  return ToHex(std::span(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
}

}  // namespace egret
