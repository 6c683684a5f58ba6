// One header or trailer field as two slices of text that somebody else owns (an HTTP head, a test).
#pragma once

#include <cstdint>
#include <string_view>

namespace egret {

struct Field {
  std::string_view name;   // as received; compared without regard to case
  std::string_view value;  // without surrounding white space
  uint8_t known = 0;       // which of http's known names it is (FieldName); 0: another one, or not looked up
};

}  // namespace egret
