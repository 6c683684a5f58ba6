// A configuration -> the chains of all its listeners. What has not changed since the configuration before is taken over
// as it is, with all that connections and filters know: only what changed is built.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/base/result.h"
#include "source/chain/snapshot.h"
#include "source/config/build_listener.h"
#include "source/config/renewable.h"

namespace egret {

// All that is shared with chains that live on is immutable, or changes by commit.
struct BuiltChains {
  struct Kept {
    std::string message;  // what it was built of: itself, and the listener whose chains are its own as well
    std::shared_ptr<const BuiltListener> built;
  };

  std::shared_ptr<const Chains> chains;
  std::shared_ptr<const SecretTable> secrets;
  std::vector<std::shared_ptr<const Renewable>> renewables;
  std::vector<std::shared_ptr<const TapFile>> taps;

  std::map<std::string, Kept, std::less<>> listeners;
  NextHops hops;
  Authorities authorities;
  std::shared_ptr<const Current<TlsClientContext>> origins;
  std::shared_ptr<const Renewable> origins_part;
  std::shared_ptr<AuthorityPages> authority_pages;
  WorkloadTables workloads;
  std::shared_ptr<PasswordRoom> passwords;  // null: nobody has needed it yet

  // Each is called once when this is put in force; before that nothing of it shows.
  std::vector<Commit> commits;
};

// Of a configuration that Validate() found no fault with. `before`: what is in force now, or null. The problem is what
// only shows now: a secret that cannot be read.
Result<BuiltChains, Problem> BuildChains(const config::v1::Bootstrap& bootstrap, const ChainDefaults& defaults,
                                         const BuiltChains* before = nullptr);

}  // namespace egret
