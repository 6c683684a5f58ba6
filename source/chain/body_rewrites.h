// How body_rewrite fared with content of the types that it is for.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "source/base/counter.h"

namespace egret {

enum class BodyRewrite : uint8_t {
  kApplied,      // whether or not there was anything to change
  kNoTransform,  // the sender or the client forbids it (RFC 9111 5.2)
  kPartial,      // a range of it
  kCoding,       // a content coding that cannot be taken off
  kStream,       // events without an end, where the whole is needed
  kTooLarge,
  kMalformed,  // not what its content coding says
  kCount,
};
std::string_view NameOf(BodyRewrite outcome);

class BodyRewrites {
 public:
  void Add(BodyRewrite outcome) { counts_[static_cast<size_t>(outcome)].Add(); }
  uint64_t Read(BodyRewrite outcome) const { return counts_[static_cast<size_t>(outcome)].Read(); }

 private:
  std::array<Counter, static_cast<size_t>(BodyRewrite::kCount)> counts_;
};

}  // namespace egret
