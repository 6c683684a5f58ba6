#include "source/config/error.h"

#include <algorithm>
#include <climits>
#include <cstdint>
#include <tuple>

#include "source/base/json.h"
#include "source/base/strings.h"

namespace egret {
namespace {

constexpr size_t kMostShown = 80;

bool ShownAsItIs(std::string_view text) {
  if (text.empty()) return false;
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f && c != '"' && c != ';'; });
}

// Where the sequence that begins at `at` ends (RFC 3629), or 0.
size_t SequenceEnd(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t first = byte(at);
  const size_t length = first < 0x80   ? 1
                        : first < 0xc2 ? 0
                        : first < 0xe0 ? 2
                        : first < 0xf0 ? 3
                        : first < 0xf5 ? 4
                                       : 0;
  if (length == 0 || length > text.size() - at) return 0;
  for (size_t i = 1; i < length; ++i)
    if ((byte(at + i) & 0xc0) != 0x80) return 0;
  if (first == 0xe0 && byte(at + 1) < 0xa0) return 0;   // overlong
  if (first == 0xed && byte(at + 1) >= 0xa0) return 0;  // surrogates
  if (first == 0xf0 && byte(at + 1) < 0x90) return 0;   // overlong
  if (first == 0xf4 && byte(at + 1) >= 0x90) return 0;  // beyond U+10FFFF
  return at + length;
}

}  // namespace

std::string ConfigError::ToString() const {
  std::string out = file;
  if (line > 0) Append(out, file.empty() ? "" : ":", line, ":", col);
  if (!field.empty()) Append(out, out.empty() ? "" : " ", field);
  if (!out.empty()) out += ": ";
  if (warning()) out += "warning: ";
  if (!value.empty()) Append(out, value, ": ");
  out += why;
  if (!remedy.empty()) Append(out, "; ", remedy);
  return out;
}

bool HasErrors(const std::vector<ConfigError>& errors) {
  return std::any_of(errors.begin(), errors.end(), [](const ConfigError& error) { return !error.warning(); });
}

std::string ToString(const std::vector<ConfigError>& errors) {
  std::string out;
  for (const ConfigError& error : errors) Append(out, error.ToString(), "\n");
  return out;
}

void SortByPlace(std::vector<ConfigError>& errors) {
  const auto place = [](const ConfigError& e) {
    return std::tuple<const std::string&, int, int, const std::string&, const std::string&>(
        e.file, e.line == 0 ? INT_MAX : e.line, e.col, e.field, e.why);
  };
  std::sort(errors.begin(), errors.end(),
            [&](const ConfigError& a, const ConfigError& b) { return place(a) < place(b); });
}

std::string ShownValue(std::string_view text) {
  std::string cut;
  if (text.size() > kMostShown) {
    size_t end = kMostShown;
    while (end > 0 && (static_cast<uint8_t>(text[end]) & 0xc0) == 0x80) --end;
    cut = Cat(text.substr(0, end), "...");
    text = cut;
  }
  if (ShownAsItIs(text)) return std::string(text);
  std::string out;
  AppendJsonString(out, text);
  return out;
}

bool IsPlainText(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const auto c = static_cast<uint8_t>(text[at]);
    if ((c < ' ' && c != '\t' && c != '\n' && c != '\r') || c == 0x7f) return false;
    at = SequenceEnd(text, at);
    if (at == 0) return false;
  }
  return true;
}

std::string Below(std::string_view path, std::string_view name) {
  return path.empty() ? std::string(name) : Cat(path, ".", name);
}

std::string Below(std::string_view path, size_t index) { return Cat(path, "[", index, "]"); }

}  // namespace egret
