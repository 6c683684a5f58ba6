#include "source/base/json_value.h"

#include <charconv>
#include <cmath>
#include <utility>

#include "source/base/strings.h"

namespace egret {
namespace {

using Kind = JsonValue::Kind;

void AppendUtf8(std::string& out, uint32_t code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
    return;
  }
  if (code < 0x800) {
    out += static_cast<char>(0xc0u | code >> 6u);
  } else if (code < 0x10000) {
    out += static_cast<char>(0xe0u | code >> 12u);
    out += static_cast<char>(0x80u | (code >> 6u & 0x3fu));
  } else {
    out += static_cast<char>(0xf0u | code >> 18u);
    out += static_cast<char>(0x80u | (code >> 12u & 0x3fu));
    out += static_cast<char>(0x80u | (code >> 6u & 0x3fu));
  }
  out += static_cast<char>(0x80u | (code & 0x3fu));
}

class Parser {
 public:
  explicit Parser(std::string_view json) : rest_(json) {}

  bool ParseWhole(JsonValue& value) {
    if (!ParseValue(value, 0)) return false;
    SkipSpace();
    return rest_.empty();
  }

 private:
  void SkipSpace() {
    while (!rest_.empty() && std::string_view(" \t\r\n").find(rest_.front()) != std::string_view::npos)
      rest_.remove_prefix(1);
  }
  bool Take(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }

  bool ParseValue(JsonValue& value, int depth) {
    SkipSpace();
    if (rest_.empty() || depth > JsonValue::kMostDepth) return false;
    switch (rest_.front()) {
      case '{':
        return ParseObject(value, depth);
      case '[':
        return ParseArray(value, depth);
      case '"':
        value.kind = Kind::kString;
        return ParseString(value.text);
      case 't':
      case 'f':
        value.kind = Kind::kBool;
        value.boolean = rest_.front() == 't';
        return Take(value.boolean ? "true" : "false");
      case 'n':
        return Take("null");
      default:
        return ParseNumber(value);
    }
  }

  bool ParseObject(JsonValue& value, int depth) {
    value.kind = Kind::kObject;
    Take("{");
    SkipSpace();
    if (Take("}")) return true;
    do {
      SkipSpace();
      std::string name;
      if (!ParseString(name) || value.Find(name) != nullptr) return false;
      SkipSpace();
      if (!Take(":")) return false;
      if (!ParseValue(value.members.emplace_back(std::move(name)).value, depth + 1)) return false;
      SkipSpace();
    } while (Take(","));
    return Take("}");
  }

  bool ParseArray(JsonValue& value, int depth) {
    value.kind = Kind::kArray;
    Take("[");
    SkipSpace();
    if (Take("]")) return true;
    do {
      if (!ParseValue(value.items.emplace_back(), depth + 1)) return false;
      SkipSpace();
    } while (Take(","));
    return Take("]");
  }

  // RFC 8259 6: no leading zero, no plus, digits around a point.
  bool ParseNumber(JsonValue& value) {
    const std::string_view from = rest_;
    Take("-");
    if (!Take("0") && !TakeDigits()) return false;
    if (Take(".") && !TakeDigits()) return false;
    if (Take("e") || Take("E")) {
      if (!Take("+")) Take("-");
      if (!TakeDigits()) return false;
    }
    value.kind = Kind::kNumber;
    value.text = from.substr(0, from.size() - rest_.size());
    const char* const end = value.text.data() + value.text.size();
    const auto [at, error] = std::from_chars(value.text.data(), end, value.number);
    return error == std::errc() && at == end && std::isfinite(value.number);
  }
  bool TakeDigits() {
    const std::string_view from = rest_;
    while (!rest_.empty() && IsAsciiDigit(rest_.front())) rest_.remove_prefix(1);
    return rest_.size() < from.size();
  }

  bool ParseString(std::string& text) {
    if (!Take("\"")) return false;
    while (!rest_.empty()) {
      const char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') return true;
      if (static_cast<unsigned char>(c) < 0x20) return false;
      if (c != '\\') {
        text += c;
      } else if (!ParseEscape(text)) {
        return false;
      }
    }
    return false;
  }

  bool ParseEscape(std::string& text) {
    constexpr std::string_view kEscapes = "\"\\/bfnrt", kMeanings = "\"\\/\b\f\n\r\t";
    if (Take("u")) return ParseCode(text);
    if (rest_.empty()) return false;
    const size_t which = kEscapes.find(rest_.front());
    if (which == std::string_view::npos) return false;
    text += kMeanings[which];
    rest_.remove_prefix(1);
    return true;
  }

  // Characters beyond 16 bits are two surrogates; one alone is no character.
  bool ParseCode(std::string& text) {
    std::optional<uint32_t> code = TakeHex();
    if (!code || (*code >= 0xdc00 && *code < 0xe000)) return false;
    if (*code >= 0xd800 && *code < 0xdc00) {
      const std::optional<uint32_t> low = Take("\\u") ? TakeHex() : std::nullopt;
      if (!low || *low < 0xdc00 || *low >= 0xe000) return false;
      code = 0x10000u + ((*code - 0xd800u) << 10u) + (*low - 0xdc00u);
    }
    AppendUtf8(text, *code);
    return true;
  }
  std::optional<uint32_t> TakeHex() {
    uint32_t code = 0;
    const std::string_view digits = rest_.substr(0, 4);
    const auto [at, error] = std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
    if (digits.size() != 4 || error != std::errc() || at != digits.data() + 4) return std::nullopt;
    rest_.remove_prefix(4);
    return code;
  }

  std::string_view rest_;
};

}  // namespace

std::optional<JsonValue> JsonValue::Parse(std::string_view json) {
  JsonValue value;
  if (!Parser(json).ParseWhole(value)) return std::nullopt;
  return value;
}

const JsonValue* JsonValue::Find(std::string_view member) const {
  for (const auto& [name, value] : members)
    if (name == member) return &value;
  return nullptr;
}

std::optional<std::string_view> JsonValue::TextOf(std::string_view member) const {
  const JsonValue* const value = Find(member);
  if (value == nullptr || !value->is(Kind::kString)) return std::nullopt;
  return value->text;
}

}  // namespace egret
