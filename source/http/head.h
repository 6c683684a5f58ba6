// The head of an HTTP message, of either protocol version. It owns its bytes: one block that never moves (more are
// chained when fields are added), of which every name and value is a slice. Nothing in it refers to a read buffer.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "source/base/field.h"
#include "source/http/field_name.h"

namespace egret {

enum class Version : uint8_t { kHttp10, kHttp11, kHttp2 };
std::string_view NameOf(Version version);  // "HTTP/1.1", "HTTP/2"

// How a request named its target (RFC 9112 3.2).
enum class TargetForm : uint8_t { kOrigin, kAbsolute, kAuthority, kAsterisk };

class Head {
 public:
  // Room for that many bytes before a second block is needed; taken when the first are kept.
  explicit Head(size_t bytes = 512) : next_block_(bytes) {}
  Head(Head&&) noexcept = default;
  Head& operator=(Head&&) noexcept = default;

  // Copies into the head's own memory and gives the copy, which lives as long as the head.
  std::string_view Keep(std::string_view text);

  std::span<const Field> fields() const { return fields_; }
  // The first field of that name; null where there is none.
  const Field* Find(FieldName name) const;
  const Field* Find(std::string_view name) const;
  // False: surely not, and it costs nothing to ask. True: one of them was added, and maybe removed again.
  bool MayHave(FieldNames names) const { return present_.HasAnyOf(names); }
  size_t Count(FieldName name) const;

  // Adds at the end; the text is copied.
  void Add(FieldName name, std::string_view value);
  void Add(std::string_view name, std::string_view value);
  // For a codec: both are slices that Keep() gave.
  void AddKept(std::string_view name, std::string_view value);
  // Removes every field of that name, then adds one.
  void Set(FieldName name, std::string_view value);
  void Set(std::string_view name, std::string_view value);
  // Another value for the field at that place of fields().
  void SetValue(size_t index, std::string_view value);
  void Remove(FieldName name);
  void Remove(std::string_view name);
  template <class Predicate>
  void RemoveIf(Predicate predicate) {
    std::erase_if(fields_, predicate);
  }

  Version version = Version::kHttp11;  // as received; a codec writes its own

  // A request's. Slices of this head or of static text.
  std::string_view method;
  TargetForm form = TargetForm::kOrigin;
  std::string_view scheme;     // "http", "https"; empty for origin-form over HTTP/1 and for CONNECT
  std::string_view authority;  // as received: absolute-form's, CONNECT's, :authority; else empty (Host is a field)
  std::string_view path;       // with query, "*" for asterisk-form; empty for CONNECT
  // What an extended CONNECT asks for, its :protocol (RFC 8441). Received, it is the GET that it stands for: `method`
  // says so. To be sent, it is a CONNECT.
  std::string_view protocol;

  // A response's.
  int status = 0;
  std::string_view reason;

 private:
  void Push(FieldName known, std::string_view name, std::string_view value);

  std::unique_ptr<char[]> block_;  // the one that has room_
  std::vector<std::unique_ptr<char[]>> full_blocks_;
  std::span<char> room_;
  size_t next_block_;
  std::vector<Field> fields_;
  FieldNames present_;  // of what was ever added: most look-ups are for what is not there
};

}  // namespace egret
