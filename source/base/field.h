// One header or trailer field as two slices of text that somebody else owns (an HTTP head, a test).
#pragma once

#include <string_view>

namespace egret {

struct Field {
  std::string_view name;   // as received; compared without regard to case
  std::string_view value;  // without surrounding white space
};

}  // namespace egret
