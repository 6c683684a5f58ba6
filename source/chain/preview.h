// A candidate policy beside the one in force, on one worker: asked the same questions, and nothing comes of its answers
// but a table of those that differ. Bounded in time and in memory.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "source/chain/change_table.h"
#include "source/chain/record.h"
#include "source/policy/policy.h"

namespace egret {

class Preview {
 public:
  // Questions within a second: at some microseconds each a few hundredths of it. What is above is left out, and
  // counted.
  static constexpr uint64_t kMostASecond = 20'000;

  // `number`: of all previews of this process, above 0.
  Preview(uint32_t number, std::shared_ptr<const Policy> candidate)
      : number_(number), candidate_(std::move(candidate)) {}

  uint32_t number() const { return number_; }
  bool UsesFingerprints() const { return candidate_->UsesFingerprints(); }

  // Whom to ask about what this record is of. Null: it was told of already (what the candidate says of a later stage
  // means nothing then), or there were too many.
  const Policy* Candidate(uint64_t now_ms, const ExchangeRecord* record);
  // `record` may be null.
  void Compare(const Facts& facts, const Target& target, ExchangeRecord* record, const Decision& live,
               const Decision& candidate);

  // What there is since it was asked last.
  struct Gathered {
    ChangeTable table;
    uint64_t decisions = 0;  // that were compared
    uint64_t skipped = 0;
  };
  Gathered Take();

 private:
  const uint32_t number_;
  const std::shared_ptr<const Policy> candidate_;
  uint64_t second_ = 0;  // of the loop's clock
  uint64_t asked_ = 0;   // within it
  Gathered gathered_;
};

}  // namespace egret
