#include "source/http/frame_budget.h"

#include <algorithm>

namespace egret {
namespace {

constexpr uint64_t kFrame = 1000;  // thousandths

uint64_t Capacity(const Http2Rate& rate) { return kFrame * rate.burst; }

}  // namespace

FrameBudget::FrameBudget(const Http2Limits& limits, uint64_t now_ms) {
  for (Bucket& bucket : buckets_) bucket.rate = limits.control_frames;
  Of(Http2Limit::kResets).rate = limits.resets;
  for (Bucket& bucket : buckets_) {
    bucket.thousandths = Capacity(bucket.rate);
    bucket.filled_ms = now_ms;
  }
}

bool FrameBudget::Take(Http2Limit kind, uint64_t now_ms) {
  Bucket& bucket = Of(kind);
  const uint64_t earned = (now_ms - bucket.filled_ms) * bucket.rate.per_second;
  bucket.filled_ms = now_ms;
  // What was earned by content may stand above the burst; time alone fills no further.
  bucket.thousandths = std::max(bucket.thousandths, std::min(bucket.thousandths + earned, Capacity(bucket.rate)));
  if (bucket.thousandths < kFrame) return false;
  bucket.thousandths -= kFrame;
  return true;
}

void FrameBudget::Earn(Http2Limit kind, uint32_t frames) {
  Bucket& bucket = Of(kind);
  bucket.thousandths = std::min(bucket.thousandths + kFrame * frames, 2 * Capacity(bucket.rate));
}

}  // namespace egret
