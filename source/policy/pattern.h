// Names as a config writes them: "example.com" is that name, "*.example.com" any depth below it and not itself,
// ".example.com" both.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "source/base/result.h"

namespace egret {

struct DomainPattern {
  enum class Kind : uint8_t { kExact, kBelow, kBoth };

  std::string name;  // canonical, without the "*." or "."
  Kind kind = Kind::kExact;

  bool Matches(std::string_view canonical_name) const;
  friend bool operator==(const DomainPattern&, const DomainPattern&) = default;
};

// U-labels are converted here, once (UTS 46, non-transitional). The error is a sentence that names what to write
// instead.
Result<DomainPattern, std::string> ParsePattern(std::string_view text);

}  // namespace egret
