// Who asks, and as long as what.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "source/policy/spec.h"

namespace egret {

// The word of whoever knows of an identity: an entry of a list of users, of workloads, of keys. It holds for all that
// was found out by it, until it is taken back, which any thread may do.
class Vouch {
 public:
  bool withdrawn() const { return withdrawn_.load(std::memory_order_relaxed); }
  void Withdraw();
  // How many were withdrawn in this process: where it has risen, what is live is to be judged again.
  static uint64_t Withdrawals();

 private:
  std::atomic<bool> withdrawn_{false};
};

// As a filter that checks credentials found out. Empty text: this identity has no such attribute.
struct Identity {
  struct Claim {
    std::string name;
    std::vector<std::string> values;
  };

  std::string user;
  std::vector<std::string> groups;
  std::string spiffe_id;
  std::string namespace_;
  std::string service_account;  // "namespace/name"
  std::vector<Claim> claims;
  Assurance assurance = Assurance::kAny;

  static constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
  int64_t ends = kNever;               // seconds since 1970: what proved it proves nothing from then on
  std::shared_ptr<const Vouch> vouch;  // null: nobody can take it back

  std::string_view Name() const;  // the first that is set of user, SPIFFE ID, service account, namespace; or "-"
  bool named() const { return Name() != "-"; }
  // What tells it from every other: what is counted or kept apart by identity goes by this. It may hold any text.
  std::string Key() const;
  bool HoldsAt(int64_t now) const { return now < ends && (vouch == nullptr || !vouch->withdrawn()); }
};

}  // namespace egret
