// How many frames of a kind a peer has left: a bucket for each kind that holds `burst` and is filled again at
// `per_second`. Frames that cost the peer next to nothing and us something are paid for here.
#pragma once

#include <array>
#include <cstdint>

#include "source/http/http2_limits.h"

namespace egret {

class FrameBudget {
 public:
  FrameBudget(const Http2Limits& limits, uint64_t now_ms);

  // False: there was nothing left.
  [[nodiscard]] bool Take(Http2Limit kind, uint64_t now_ms);
  // Something happened that such frames rightly follow: a stream, content.
  void Earn(Http2Limit kind, uint32_t frames);

 private:
  struct Bucket {
    Http2Rate rate{0, 0};
    uint64_t thousandths = 0;
    uint64_t filled_ms = 0;
  };
  Bucket& Of(Http2Limit kind) { return buckets_[static_cast<size_t>(kind)]; }
  std::array<Bucket, static_cast<size_t>(Http2Limit::kCount)> buckets_;
};

}  // namespace egret
