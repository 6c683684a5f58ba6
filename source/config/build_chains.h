// Protobuf -> chains of filters. The one place where a filter's message meets its code: every filter that can be
// configured is in the two tables of build_chains.cc.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/base/result.h"
#include "source/chain/snapshot.h"
#include "source/config/renewable.h"
#include "source/filters/tap_file.h"
#include "source/io/original_destination.h"

namespace egret {

struct ChainDefaults {
  std::string via;      // pseudonym of an http_connection that names none
  std::string version;  // of this program
};

struct BuiltChains {
  std::shared_ptr<const Chains> chains;
  std::vector<std::shared_ptr<const TapFile>> taps;
  std::vector<Renewable> renewables;  // what of them comes from files that may change
};

// Of a bootstrap that Validate() found no fault with. The error is what only shows now: a secret that cannot be read.
// It has to outlive the renewables.
Result<BuiltChains, Problem> BuildChains(const config::v1::Bootstrap& bootstrap, const ChainDefaults& defaults);

// How the listener's connections come in.
Transparent TransparentOf(const config::v1::Listener& listener);

}  // namespace egret
