// The Resolver of a worker, over c-ares. Every name is absolute: no search list, whatever resolv.conf says. Hosts file
// and resolv.conf are read by us; c-ares only speaks DNS. Answers are cached (TTL clamped, least recently used names
// go first), so are failures that say something about the name, for a short while. Names that are asked for at the same
// time share one query.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "source/base/counter.h"
#include "source/base/ip.h"
#include "source/io/resolver.h"

namespace egret {

struct AresResolverOptions {
  std::vector<Endpoint> servers;  // none: those that resolv_conf names
  std::string resolv_conf = "/etc/resolv.conf";
  std::string hosts = "/etc/hosts";
  uint64_t recheck_ms = 1000;  // how often either file may be asked whether it changed
  bool ask_v4 = true, ask_v6 = true;
  uint64_t timeout_ms = 5000;       // for a name, all servers and attempts together
  uint64_t straggler_ms = 1000;     // once one family has answered with addresses, the other has this long
  uint64_t min_ttl_ms = 1000;       // TTL 0 and 1 would make every request a query
  uint64_t max_ttl_ms = 300000;     // and 2^31 a name that never moves
  uint64_t negative_ttl_ms = 5000;  // 0: failures are not remembered
  size_t max_names = 10000;         // remembered with addresses
  size_t max_negative_names = 1000;
  size_t max_queries = 4096;  // names asked for at a time; beyond: kOverload
};

struct ResolverCounters {
  Counter queries;     // names asked of the servers (A and AAAA together count once)
  Counter cache_hits;  // positive and negative
  Counter joined;      // found their query already under way
  Counter failures;    // of names asked for: anything but addresses, timeouts too
  Counter timeouts;
  Counter evictions;  // names forgotten before their time
  Counter overloads;
};

class AresResolver final : public Resolver {
 public:
  // On the thread of its loop, which outlives it.
  explicit AresResolver(AresResolverOptions options);
  // Tasks that still wait hear kDnsFailure in the loop's next turn; they must not be started after this.
  ~AresResolver() override;

  Task<Result<Resolved, Fault>> Resolve(const std::string& canonical_name) override;

  const ResolverCounters& counters() const;
  size_t names() const;  // remembered now, positive and negative

 private:
  class Core;
  std::unique_ptr<Core> core_;
};

}  // namespace egret
