// google.protobuf.Duration as the milliseconds that the loop counts in.
#pragma once

#include <google/protobuf/duration.pb.h>

#include <algorithm>
#include <cstdint>

namespace egret {

// Not negative (the validator sees to it); a part of a millisecond counts as one.
inline uint64_t Milliseconds(const google::protobuf::Duration& duration) {
  const int64_t seconds = std::max<int64_t>(duration.seconds(), 0);
  const int64_t nanos = std::max<int32_t>(duration.nanos(), 0);
  return static_cast<uint64_t>(seconds * 1000 + (nanos + 999999) / 1000000);
}

}  // namespace egret
