#include "source/config/scalar.h"

#include <charconv>
#include <system_error>

#include "source/base/strings.h"

namespace egret {
namespace {

constexpr uint64_t kNanosPerSecond = 1'000'000'000;
constexpr uint64_t kMostSeconds = 315'576'000'000;  // about 10,000 years: protobuf's own bound

struct Unit {
  std::string_view name;
  uint64_t nanos;
};
constexpr Unit kUnits[] = {{"h", 3600 * kNanosPerSecond},
                           {"m", 60 * kNanosPerSecond},
                           {"s", kNanosPerSecond},
                           {"ms", 1'000'000},
                           {"us", 1'000},
                           {"ns", 1}};

size_t UnitOf(std::string_view name) {
  size_t which = 0;
  while (which < std::size(kUnits) && kUnits[which].name != name) ++which;
  return which;
}

std::string_view TakeWhile(std::string_view& text, bool (*wanted)(char)) {
  size_t length = 0;
  while (length < text.size() && wanted(text[length])) ++length;
  const std::string_view taken = text.substr(0, length);
  text.remove_prefix(length);
  return taken;
}

// ".5" of a second in nanoseconds; nullopt for more than nine digits or none.
std::optional<uint64_t> Fraction(std::string_view digits) {
  if (digits.empty() || digits.size() > 9) return std::nullopt;
  uint64_t nanos = *ParseDecimal<uint64_t>(digits);
  for (size_t i = digits.size(); i < 9; ++i) nanos *= 10;
  return nanos;
}

Unfit NotADuration() { return {"not a duration", "write a number with h, m, s or ms, e.g. 300s, 24h, 1h30m, 500ms"}; }

std::string Between(std::string_view lowest, std::string_view highest) {
  return Cat("write ", lowest, " to ", highest, " in decimal digits");
}

int Base64Value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+' || c == '-') return 62;
  if (c == '/' || c == '_') return 63;
  return -1;
}

}  // namespace

Result<DurationParts, Unfit> ParseDuration(std::string_view text) {
  if (text.starts_with('-')) return Unfit{"a negative duration", "write a positive one"};
  if (ParseDecimal<uint64_t>(text)) return Unfit{"no unit", Cat("write ", text, "s for seconds")};
  if (text.empty()) return NotADuration();
  uint64_t seconds = 0;
  uint64_t nanos = 0;
  size_t next_unit = 0;
  while (!text.empty()) {
    const auto whole = ParseDecimal<uint64_t>(TakeWhile(text, [](char c) { return IsAsciiDigit(c); }));
    uint64_t fraction = 0;
    const bool has_fraction = text.starts_with('.');
    if (has_fraction) {
      text.remove_prefix(1);
      const auto digits = Fraction(TakeWhile(text, [](char c) { return IsAsciiDigit(c); }));
      if (!digits) return NotADuration();
      fraction = *digits;
    }
    const size_t unit = UnitOf(TakeWhile(text, [](char c) { return c >= 'a' && c <= 'z'; }));
    // Each unit at most once and in order; a fraction only of a second.
    if (!whole || unit < next_unit || unit == std::size(kUnits) || (has_fraction && kUnits[unit].name != "s"))
      return NotADuration();
    next_unit = unit + 1;
    const uint64_t per_unit = kUnits[unit].nanos;
    const uint64_t units_per_second = per_unit < kNanosPerSecond ? kNanosPerSecond / per_unit : 1;
    const uint64_t seconds_per_unit = per_unit < kNanosPerSecond ? 1 : per_unit / kNanosPerSecond;
    if (*whole / units_per_second > kMostSeconds / seconds_per_unit) return Unfit{"too long", "write a shorter one"};
    seconds += *whole / units_per_second * seconds_per_unit;
    nanos += *whole % units_per_second * (per_unit < kNanosPerSecond ? per_unit : 0) + fraction;
  }
  seconds += nanos / kNanosPerSecond;
  if (seconds > kMostSeconds) return Unfit{"too long", "write a shorter one"};
  return DurationParts{static_cast<int64_t>(seconds), static_cast<int32_t>(nanos % kNanosPerSecond)};
}

Result<int64_t, Unfit> ParseSigned(std::string_view text, int64_t lowest, int64_t highest) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string range = Between(std::to_string(lowest), std::to_string(highest));
  if (end != text.data() + text.size() || error == std::errc::invalid_argument)
    return Unfit{"not a whole number", range};
  if (error != std::errc() || value < lowest || value > highest) return Unfit{"out of range", range};
  return value;
}

Result<uint64_t, Unfit> ParseUnsigned(std::string_view text, uint64_t highest) {
  const std::string range = Between("0", std::to_string(highest));
  const bool negative = text.starts_with('-') && text.size() > 1;
  const std::string_view digits = negative ? text.substr(1) : text;
  if (digits.empty() || digits.find_first_not_of("0123456789") != digits.npos)
    return Unfit{"not a whole number", range};
  const auto value = ParseDecimal<uint64_t>(text);
  if (!value || *value > highest) return Unfit{"out of range", range};
  return *value;
}

std::optional<std::string> ParseBase64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  const size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  std::string out;
  uint32_t bits = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const int value = i >= text.size() - padding ? 0 : Base64Value(text[i]);
    if (value < 0) return std::nullopt;
    bits = bits << 6 | static_cast<uint32_t>(value);
    if (i % 4 != 3) continue;
    for (const int shift : {16, 8, 0}) out += static_cast<char>(bits >> shift & 0xff);
    bits = 0;
  }
  const std::string_view left_over = std::string_view(out).substr(out.size() - padding);
  if (left_over.find_first_not_of('\0') != left_over.npos) return std::nullopt;  // bits that padding says are not there
  out.resize(out.size() - padding);
  return out;
}

}  // namespace egret
