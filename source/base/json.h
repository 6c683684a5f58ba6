// Writes JSON into a string: objects on one line, text escaped so that nothing a peer sent can end a string, a line or
// a terminal's patience (control characters, DEL, C1 and what is not UTF-8 are escaped or replaced).
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace egret {

// Appends `text` with quotes around it.
void AppendJsonString(std::string& out, std::string_view text);

class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  void BeginObject() { Open('{'); }
  void EndObject() { Close('}'); }
  void BeginArray() { Open('['); }
  void EndArray() { Close(']'); }
  // `key` is ours: plain ASCII that needs no escaping.
  void Key(std::string_view key);
  void String(std::string_view value);
  void Number(std::integral auto value) { Raw(std::to_string(value)); }
  void Bool(bool value) { Raw(value ? "true" : "false"); }
  void Null() { Raw("null"); }
  void Raw(std::string_view json);  // one value, already JSON

  void Member(std::string_view key, std::string_view value) {
    Key(key);
    String(value);
  }
  void Member(std::string_view key, const char* value) { Member(key, std::string_view(value)); }
  void Member(std::string_view key, bool value) {
    Key(key);
    Bool(value);
  }
  void Member(std::string_view key, std::integral auto value) {
    Key(key);
    Number(value);
  }
  // Only where there is something to say.
  void MemberIf(std::string_view key, std::string_view value) {
    if (!value.empty()) Member(key, value);
  }

 private:
  void Separate();
  void Open(char bracket);
  void Close(char bracket);

  std::string& out_;
  bool first_ = true;
};

}  // namespace egret
