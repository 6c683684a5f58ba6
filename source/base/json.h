// Writes JSON into a string: objects on one line, text escaped so that nothing a peer sent can end a string, a line or
// a terminal's patience (control characters, DEL, C1 and what is not UTF-8 are escaped or replaced).
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "source/base/text_writer.h"

namespace egret {

// Appends `text` with quotes around it.
void AppendJsonString(std::string& out, std::string_view text);

// The string is whole whenever every object and array that was begun has ended; until then it is the writer's alone.
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  void BeginObject() { Open('{'); }
  void EndObject() { Close('}'); }
  void BeginArray() { Open('['); }
  void EndArray() { Close(']'); }
  // `key` is ours: plain ASCII that needs no escaping.
  void Key(std::string_view key) { PutKey(key.data(), key.size()); }
  // Of a literal the size is known here, so that it is copied without a call.
  template <size_t N>
  void Key(const char (&literal)[N]) {
    PutKey(literal, N - 1);
  }
  void String(std::string_view value);
  void Number(std::integral auto value) {
    Separate();
    out_.Put(value);
    FinishIfWhole();
  }
  void Bool(bool value) { Raw(value ? "true" : "false"); }
  void Null() { Raw("null"); }
  void Raw(std::string_view json);  // one value, already JSON

  template <class KeyText>
  void Member(const KeyText& key, std::string_view value) {
    Key(key);
    String(value);
  }
  template <class KeyText>
  void Member(const KeyText& key, const char* value) {
    Member(key, std::string_view(value));
  }
  template <class KeyText>
  void Member(const KeyText& key, bool value) {
    Key(key);
    Bool(value);
  }
  template <class KeyText>
  void Member(const KeyText& key, std::integral auto value) {
    Key(key);
    Number(value);
  }
  // Only where there is something to say.
  template <class KeyText>
  void MemberIf(const KeyText& key, std::string_view value) {
    if (!value.empty()) Member(key, value);
  }

 private:
  void Separate() {
    if (!first_) out_.Put(',');
    first_ = false;
  }
  void PutKey(const char* key, size_t size) {
    char* at = out_.Room(size + 4);
    if (!first_) *at++ = ',';
    *at++ = '"';
    std::memcpy(at, key, size);
    at += size;
    *at++ = '"';
    *at++ = ':';
    out_.WrittenTo(at);
    first_ = true;  // the value that follows is not separated
  }
  void Open(char bracket);
  void Close(char bracket);
  void FinishIfWhole() {
    if (depth_ == 0) out_.Finish();
  }

  TextWriter out_;
  int depth_ = 0;  // objects and arrays that were begun and have not ended
  bool first_ = true;
};

}  // namespace egret
