#include "source/chain/revocation.h"

#include <algorithm>
#include <optional>

#include "source/chain/local_reply.h"
#include "source/chain/pace.h"
#include "source/event/combine.h"
#include "source/event/wait.h"

namespace egret {
namespace {

constexpr size_t kATurn = 64;        // records judged
constexpr uint64_t kRestMs = 250;    // policies that follow each other faster than this are heeded together
constexpr uint64_t kLookMs = 60000;  // the clock on the wall may be set

std::optional<int64_t> Earlier(std::optional<int64_t> a, std::optional<int64_t> b) {
  return a && b ? std::min(a, b) : a ? a : b;
}

Task<void> OpenOrOver(Gate& gate, uint64_t ms) { co_await GateWithin(gate, ms); }

// What has failed is ending already.
Decision Judge(Worker& worker, const ExchangeRecord& record) {
  if (record.running == nullptr || record.failure) return Kept();
  return record.running->Reconsider(worker);
}

}  // namespace

Task<void> Revocation::Run() {
  for (;;) {
    co_await NextCause();
    changed_.Close();
    seen_ = worker_.unix_seconds();
    worker_.credential_ends().Heed(seen_);
    const uint64_t begun_ms = worker_.loop().now_ms();
    deadline_ms_ = std::min(deadline_ms_, begun_ms + worker_.snapshot().revocation_grace_ms);
    const size_t count = co_await CountRevoked();
    if (count > 0) {
      co_await EndRevoked(count, begun_ms);
    } else {
      deadline_ms_ = kNever;
    }
    const uint64_t now_ms = worker_.loop().now_ms();
    if (now_ms < begun_ms + kRestMs) co_await Sleep(begun_ms + kRestMs - now_ms);
  }
}

Task<void> Revocation::NextCause() {
  CredentialEnds& ends = worker_.credential_ends();
  while (!changed_.open() && !ends.Due(worker_.unix_seconds())) {
    const std::optional<int64_t> next = Earlier(worker_.policy().NextBoundary(seen_), ends.First());
    if (next && *next <= worker_.unix_seconds()) co_return;
    uint64_t wait_ms = kLookMs;
    if (next) {
      const auto due_ms = static_cast<uint64_t>(*next) * 1000, unix_ms = worker_.unix_microseconds() / 1000;
      wait_ms = std::clamp<uint64_t>(due_ms - std::min(due_ms, unix_ms), 1, kLookMs);
    }
    ends.stirred().Close();
    co_await Race(OpenOrOver(changed_, wait_ms), ends.stirred());
  }
}

Task<size_t> Revocation::CountRevoked() {
  size_t count = 0;
  worker_.StartWalk();
  for (size_t judged = 1; const ExchangeRecord* const record = worker_.NextOfWalk(); ++judged) {
    if (Judge(worker_, *record).denied()) ++count;
    if (judged % kATurn == 0) co_await Yield();
  }
  co_return count;
}

// A newer policy begins the walk anew, and the deadline stays.
bool Revocation::Interrupted(uint64_t begun_ms) const {
  return changed_.open() && worker_.loop().now_ms() >= begun_ms + kRestMs;
}

// The youngest first, so that a request ends before the tunnel that it came through. Each is judged once more: much may
// have happened since it was counted.
Revocation::Share Revocation::EndSome(size_t most) {
  Share share;
  for (size_t judged = 0; judged < kATurn && share.ended < most; ++judged) {
    ExchangeRecord* const record = worker_.NextOfWalk();
    if (record == nullptr) {
      share.last = true;
      break;
    }
    const Decision decision = Judge(worker_, *record);
    if (!decision.denied()) continue;
    RecordDecision(worker_, *record, decision);
    record->running->End({Side::kEgret, decision.fault});
    ++share.ended;
  }
  return share;
}

Task<void> Revocation::EndRevoked(size_t count, uint64_t begun_ms) {
  Loop& loop = worker_.loop();
  const uint64_t soon_ms = loop.now_ms() + Pace::kStepMs * (count - 1);
  Pace pace(std::min(deadline_ms_, soon_ms));
  worker_.StartWalk();
  for (size_t due = 0; !Interrupted(begun_ms);) {
    if (due == 0) due = count == 0 ? kATurn : pace.Due(count, loop.now_ms());
    const Share share = EndSome(due);
    if (share.last) {
      deadline_ms_ = kNever;
      co_return;
    }
    due -= share.ended;
    count -= std::min(count, share.ended);
    if (due > 0) {
      co_await Yield();
    } else {
      co_await Sleep(Pace::kStepMs);
    }
  }
}

}  // namespace egret
