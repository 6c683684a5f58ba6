// Small text helpers over std::string_view. Debian's abseil is built without the std aliases, so its own do not take
// std types.
#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace egret {

// One piece of a Cat(): text, a character or a whole number.
class Piece {
 public:
  Piece(std::string_view text) : text_(text) {}     // NOLINT(google-explicit-constructor)
  Piece(const char* text) : text_(text) {}          // NOLINT(google-explicit-constructor)
  Piece(const std::string& text) : text_(text) {}   // NOLINT(google-explicit-constructor)
  Piece(char c) : digits_{c}, text_(digits_, 1) {}  // NOLINT(google-explicit-constructor)
  template <std::integral Int>
    requires(!std::same_as<Int, char> && !std::same_as<Int, bool>)
  Piece(Int number)
      : text_(digits_, static_cast<size_t>(std::to_chars(digits_, digits_ + sizeof digits_, number).ptr - digits_)) {
  }  // NOLINT
  Piece(const Piece&) = delete;
  Piece& operator=(const Piece&) = delete;
  std::string_view text() const { return text_; }

 private:
  char digits_[24] = {};
  std::string_view text_;
};

template <class... Pieces>
void Append(std::string& to, const Pieces&... pieces) {
  (to.append(Piece(pieces).text()), ...);
}

template <class... Pieces>
std::string Cat(const Pieces&... pieces) {
  std::string out;
  Append(out, pieces...);
  return out;
}

constexpr char AsciiLower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }
constexpr bool IsAsciiDigit(char c) { return c >= '0' && c <= '9'; }
constexpr bool IsAsciiLetter(char c) { return AsciiLower(c) >= 'a' && AsciiLower(c) <= 'z'; }

inline bool EqualsIgnoreCase(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i)
    if (AsciiLower(a[i]) != AsciiLower(b[i])) return false;
  return true;
}

inline std::string ToLower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = AsciiLower(c);
  return out;
}

// Without leading and trailing spaces and tabs (RFC 9110 OWS).
constexpr std::string_view TrimOws(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// The whole text as a decimal number: digits only (no sign, no space), and nullopt where it does not fit.
template <std::unsigned_integral Int>
std::optional<Int> ParseDecimal(std::string_view text) {
  Int value = 0;
  if (text.empty() || !IsAsciiDigit(text.front())) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Splits off what stands before the first `separator`; the rest stays in `text`. Without a separator, all of it.
constexpr std::string_view SplitFirst(std::string_view& text, char separator) {
  const size_t at = text.find(separator);
  const std::string_view first = text.substr(0, at);
  text = at == std::string_view::npos ? std::string_view() : text.substr(at + 1);
  return first;
}

}  // namespace egret
