// Text into a message: the one loader. protobuf's own JSON parser is too lenient to guard a policy (a `to:` that lost
// its children matches everything, of two keys of one name the last wins), so this one walks the file beside the
// message descriptor, refuses whatever could mean two things, and tells all errors at once.
//
// Refused: duplicate keys, values left empty, unknown keys, numbers for enum values, none or several members of a
// oneof, a list where one value belongs and the reverse, more than a million values. Taken by the field's type: 8080 is
// text in a string field, a bool is true or false and nothing else; durations are 300s, 24h, 1h30m, 500ms; times RFC
// 3339; bytes base64. A filter without settings may be written as its name alone.
#pragma once

#include <google/protobuf/message.h>

#include <string_view>
#include <vector>

#include "source/config/error.h"
#include "source/config/tree.h"

namespace egret {

enum class Format { kYaml, kJson, kTextproto };

// By the end of the name: .json; .textproto, .txtpb, .pbtxt; anything else is YAML.
Format FormatOf(std::string_view file_name);

struct LoadResult {
  std::vector<ConfigError> errors;  // empty: the message is complete
  Locations locations;              // for errors that are found later

  bool ok() const { return errors.empty(); }
};

// Fills `into`, which is empty before; after errors it is to be thrown away. `file_name` is for errors only.
LoadResult Load(std::string_view text, std::string_view file_name, Format format, google::protobuf::Message& into);

}  // namespace egret
