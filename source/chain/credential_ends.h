// When what proves the identities of what is live proves nothing any more: what revocation waits for. It may end at a
// time that is known, as a token does, or be taken back at any moment (Vouch).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>

#include "source/event/loop.h"
#include "source/policy/identity.h"

namespace egret {

// Single-threaded. Times are seconds since 1970.
class CredentialEnds {
 public:
  // Something is live that ends then. Where there are many times they are told apart by the minute.
  void Note(int64_t at) {
    if (times_.size() >= kMostApart) at += 60 - at % 60;
    if (times_.insert(at).second && *times_.begin() == at) Stir();
  }
  // Something may have been taken back.
  void Stir() { stirred_.Open(); }

  std::optional<int64_t> First() const { return times_.empty() ? std::nullopt : std::optional(*times_.begin()); }
  bool Due(int64_t now) const {
    return (!times_.empty() && *times_.begin() <= now) || Vouch::Withdrawals() != withdrawals_;
  }
  // What has ended by now is looked after.
  void Heed(int64_t now) {
    times_.erase(times_.begin(), times_.upper_bound(now));
    withdrawals_ = Vouch::Withdrawals();
  }
  // Open where it is to be asked again what is due.
  Gate& stirred() { return stirred_; }

 private:
  static constexpr size_t kMostApart = 4096;

  std::set<int64_t> times_;
  uint64_t withdrawals_ = Vouch::Withdrawals();
  Gate stirred_{false};
};

}  // namespace egret
