// Specs -> Policy. Everything that can be wrong with a policy is found here, all of it at once, before it is in force.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "source/base/result.h"
#include "source/policy/errors.h"
#include "source/policy/policy.h"
#include "source/policy/spec.h"

namespace egret {

using CompileResult = Result<std::shared_ptr<const Policy>, std::vector<PolicyError>>;

// Not for the data path: takes a second or so for a million names.
CompileResult Compile(const PolicySetSpec& spec);

// Policies and sets of which most are as they were in a policy before: those are taken from there, and only of the
// others a spec is made.
struct PolicyChanges {
  struct Item {
    std::string_view name;
    bool same = false;  // its spec is the same as that of this name then
  };
  std::vector<Item> policies, domain_sets;
  std::function<PolicySpec(size_t)> policy;
  std::function<DomainSetSpec(size_t)> domain_set;
  AddressGuardSpec guard;
};
// The outcome, and all that is told, is that of compiling everything. The names, and `before` if there is one, live as
// long as the call.
CompileResult Compile(const PolicyChanges& changes, const Policy* before);

}  // namespace egret
