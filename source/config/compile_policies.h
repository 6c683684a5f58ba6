// The policies and domain sets of a bootstrap -> Policy. Errors have field paths of the bootstrap, or file and line of
// a domain set's file. Reads those files: not on a worker's thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/base/ip.h"
#include "source/base/result.h"
#include "source/config/error.h"
#include "source/policy/policy.h"

namespace egret {

// A policy and what it was compiled of, so that the next one can share what has not changed.
struct CompiledPolicies {
  std::shared_ptr<const config::v1::Bootstrap> bootstrap;
  std::vector<Endpoint> own;
  std::map<std::string, std::string> stamps;  // of the files of domain sets, by set, before they were read
  std::shared_ptr<const Policy> policy;
};
using CompiledResult = Result<CompiledPolicies, std::vector<ConfigError>>;

// `own`: see ToGuardSpec (policy_spec.h). `before`: the last one, or null; what the two bootstraps share is not
// compiled again, and where nothing has changed the policy is the same object.
CompiledResult CompilePolicies(std::shared_ptr<const config::v1::Bootstrap> bootstrap, std::vector<Endpoint> own,
                               const CompiledPolicies* before);

// All of it.
Result<std::shared_ptr<const Policy>, std::vector<ConfigError>> CompilePolicies(const config::v1::Bootstrap& bootstrap,
                                                                                std::vector<Endpoint> own);

}  // namespace egret
