#include "source/xds/cpu_budget.h"

#include <algorithm>

namespace egret {
namespace {

constexpr int64_t kUsPerMs = 1000 / CpuBudget::kPart;

}  // namespace

void CpuBudget::Spend(int64_t cpu_us, Ms now) {
  const int64_t saved = std::min(left_us_ + (now - at_) * kUsPerMs, kMostSavedUs);
  left_us_ = std::max(saved - cpu_us, -kMostOwedUs);
  at_ = now;
}

CpuBudget::Ms CpuBudget::Due() const { return left_us_ >= 0 ? at_ : at_ + (-left_us_ + kUsPerMs - 1) / kUsPerMs; }

}  // namespace egret
