// JSON (RFC 8259) read into values, strictly: nothing behind the value, no member twice, no nesting beyond what anybody
// needs. For short texts of others: a token's claims, a set of keys.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace egret {

struct JsonValue {
  enum class Kind : uint8_t { kNull, kBool, kNumber, kString, kArray, kObject };
  static constexpr int kMostDepth = 32;

  Kind kind = Kind::kNull;
  bool boolean = false;
  double number = 0;
  std::string text;              // of a string, in UTF-8; of a number as it stands there
  std::vector<JsonValue> items;  // of an array
  struct Member;
  std::vector<Member> members;

  // The whole text as one value; nothing where it is none.
  static std::optional<JsonValue> Parse(std::string_view json);

  const JsonValue* Find(std::string_view member) const;  // null: it is no object, or has none of that name
  // The text of a member that is a string; nothing where there is none.
  std::optional<std::string_view> TextOf(std::string_view member) const;
  bool is(Kind wanted) const { return kind == wanted; }
};

struct JsonValue::Member {
  std::string name;
  JsonValue value;
};

}  // namespace egret
