// Scalars as configuration writes them, each judged strictly and never guessed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "source/base/result.h"

namespace egret {

// Why a text is not what its field takes.
struct Unfit {
  std::string why;
  std::string remedy;
};

struct DurationParts {
  int64_t seconds = 0;
  int32_t nanos = 0;

  friend bool operator==(const DurationParts&, const DurationParts&) = default;
};

// "300s", "24h", "1h30m", "500ms", "1.5s": numbers with h, m, s, ms, us or ns, large units first. Never negative; at
// most protobuf's 315,576,000,000 s.
Result<DurationParts, Unfit> ParseDuration(std::string_view text);

// Decimal digits, after a minus where `lowest` is below 0; within the bounds, both included.
Result<int64_t, Unfit> ParseSigned(std::string_view text, int64_t lowest, int64_t highest);
Result<uint64_t, Unfit> ParseUnsigned(std::string_view text, uint64_t highest);

// RFC 4648 section 4, with its padding; also the URL alphabet of section 5, as protobuf JSON does.
std::optional<std::string> ParseBase64(std::string_view text);

}  // namespace egret
