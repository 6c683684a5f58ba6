#include "source/config/candidate.h"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "source/base/strings.h"
#include "source/config/compile_policies.h"
#include "source/config/shape.h"
#include "source/config/validate.h"

namespace egret {
namespace {

using config::v1::Bootstrap;
using config::v1::Resources;
using Errors = std::vector<ConfigError>;

// Where what is at a place in the whole stands in the candidate: "policies[7]" -> "policies[0]".
using Places = std::map<std::string, std::string>;

template <class List>
void PutIn(std::string_view list, const List& candidate, List& whole, Places& places) {
  for (int i = 0; i < candidate.size(); ++i) {
    const auto same = [&](const auto& resource) { return resource.name() == candidate[i].name(); };
    const auto at = std::find_if(whole.begin(), whole.end(), same);
    const auto index = static_cast<size_t>(at - whole.begin());
    (at == whole.end() ? *whole.Add() : *at) = candidate[i];
    places[Below(list, index)] = Below(list, static_cast<size_t>(i));
  }
}

Errors Judge(const Resources& candidate) {
  Errors errors = CheckShape(candidate);
  for (const auto& [list, size] :
       {std::pair("listeners", candidate.listeners_size()), std::pair("upstreams", candidate.upstreams_size()),
        std::pair("secrets", candidate.secrets_size()), std::pair("workload_sets", candidate.workload_sets_size())})
    if (size > 0)
      errors.push_back({.field = list, .why = "no matter of a preview", .remedy = "leave policies and domain_sets"});
  if (candidate.policies().empty() && candidate.domain_sets().empty())
    errors.push_back({.field = "policies", .why = "none, and no domain_sets", .remedy = "give at least one"});
  for (int i = 0; i < candidate.domain_sets_size(); ++i)
    if (candidate.domain_sets(i).has_file())
      errors.push_back({.field = Below(Below("domain_sets", static_cast<size_t>(i)), "file"),
                        .why = "a candidate may not name files of the proxy",
                        .remedy = "write the names into domains"});
  return errors;
}

void Place(Errors& errors, const Places& places) {
  std::erase_if(errors, [](const ConfigError& error) { return error.warning(); });
  for (ConfigError& error : errors) {
    const size_t end = error.field.find(']');
    const auto at = end == std::string::npos ? places.end() : places.find(error.field.substr(0, end + 1));
    if (at != places.end()) error.field.replace(0, end + 1, at->second);
  }
}

}  // namespace

Result<std::shared_ptr<const Policy>, Errors> CompileCandidate(const Bootstrap& now, const Resources& candidate,
                                                               std::vector<Endpoint> own) {
  if (Errors errors = Judge(candidate); HasErrors(errors)) return errors;
  Bootstrap whole = now;
  Places places;
  PutIn("policies", candidate.policies(), *whole.mutable_policies(), places);
  PutIn("domain_sets", candidate.domain_sets(), *whole.mutable_domain_sets(), places);
  Errors errors = ValidateUncompiled(whole, now);
  if (!HasErrors(errors)) {
    auto compiled = CompilePolicies(whole, std::move(own));
    if (compiled) return compiled;
    errors = compiled.error();
  }
  Place(errors, places);
  return errors;
}

}  // namespace egret
