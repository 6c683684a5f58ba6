// The canonical form of a request, of which AWS Signature Version 4 signs the hash.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "source/base/field.h"

namespace egret {

// Each octet that the escapes stand for, escaped in the one way that is prescribed. '/' stays.
std::string CanonicalPath(std::string_view path);
// The same of each name and value, sorted. '+' is a space, as origins read it.
std::string CanonicalQuery(std::string_view query);

struct CanonicalFields {
  std::string lines;  // "name:value\n" for each name
  std::string names;  // "name;name"
};
// In lower case and sorted; values of one name are joined by commas, and runs of spaces are one.
CanonicalFields CanonicalFieldsOf(std::span<const Field> fields);

// Escapes are decoded; one that is none stays as it is.
std::string WithoutEscapes(std::string_view text);

}  // namespace egret
