// Who has which address, as somebody who knows has said: found out without the client doing anything, and no surer than
// the network is. Immutable.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "source/base/ip.h"
#include "source/policy/identity.h"

namespace egret {

struct WorkloadSpec {
  std::vector<IpAddress> addresses;
  std::string namespace_;
  std::string service_account;  // without the namespace
  std::vector<std::pair<std::string, std::string>> labels;
  std::vector<std::string> groups;
};

class Workloads {
 public:
  // `before`: what was in force; who keeps an address is still known by it. May be null. Of an address that is there
  // twice the first one counts.
  static std::shared_ptr<const Workloads> Make(const std::vector<WorkloadSpec>& specs, const Workloads* before);
  // Whoever had an address that somebody else has in `next`, or nobody, is not known any more.
  void WithdrawAllBut(const Workloads& next) const;

  // Null: nobody that is known.
  std::shared_ptr<const Identity> Find(const IpAddress& address) const;
  size_t size() const { return owners_.size(); }

 private:
  struct Owner {
    std::shared_ptr<const Identity> identity;
    std::shared_ptr<Vouch> vouch;
  };
  struct Hash {
    size_t operator()(const IpAddress& address) const;
  };
  const Owner* FindSame(const IpAddress& address, const Identity& identity) const;

  std::unordered_map<IpAddress, Owner, Hash> owners_;
};

}  // namespace egret
