#include "source/config/validate.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "source/base/strings.h"
#include "source/config/check_access_log.h"
#include "source/config/check_auth.h"
#include "source/config/check_broker.h"
#include "source/config/check_chains.h"
#include "source/config/check_ext_authz.h"
#include "source/config/check_fields.h"
#include "source/config/check_mitm.h"
#include "source/config/check_names.h"
#include "source/config/check_policies.h"
#include "source/config/check_rewrites.h"
#include "source/config/check_secrets.h"
#include "source/config/check_sockets.h"
#include "source/config/check_taps.h"
#include "source/config/check_xds.h"
#include "source/config/compile_policies.h"
#include "source/config/policy_spec.h"
#include "source/config/shape.h"
#include "source/config/stand_ins.h"

namespace egret {
namespace {

using config::v1::Bootstrap;

void Join(std::vector<ConfigError>& all, std::vector<ConfigError> more) {
  for (ConfigError& error : more) all.push_back(std::move(error));
}

std::vector<ConfigError> CheckWhole(const Bootstrap& bootstrap) {
  std::vector<ConfigError> errors;
  if (bootstrap.listeners().empty() && !bootstrap.has_xds() && !bootstrap.has_directory())
    errors.push_back({.field = "listeners", .why = "required", .remedy = "give at least one"});
  const auto& cache = bootstrap.resolver().cache();
  if (cache.has_min_ttl() && cache.has_max_ttl() && cache.min_ttl().seconds() > cache.max_ttl().seconds())
    errors.push_back({.field = "resolver.cache.max_ttl", .why = "below min_ttl", .remedy = "make it at least as long"});
  const auto& memory = bootstrap.limits().memory();
  const bool in_percent = memory.soft().has_percent() && memory.hard().has_percent();
  const bool in_bytes = memory.soft().has_bytes() && memory.hard().has_bytes();
  if ((in_percent && memory.soft().percent() > memory.hard().percent()) ||
      (in_bytes && memory.soft().bytes() > memory.hard().bytes()))
    errors.push_back({.field = "limits.memory.hard", .why = "below soft", .remedy = "make it at least as much"});
  // Loud wherever the configuration is looked at.
  if (const std::string& path = bootstrap.debug().tls_key_log().path(); !path.empty())
    errors.push_back({.field = "debug.tls_key_log",
                      .value = ShownValue(path),
                      .why = "whoever can read it can decrypt all TLS of this proxy",
                      .remedy = "take it out when the fault is found",
                      .severity = ConfigError::Severity::kWarning});
  return errors;
}

// The policy compiler judges each policy alone and tells some of the same again, in its own words.
void JoinNew(std::vector<ConfigError>& all, std::vector<ConfigError> more) {
  const size_t known = all.size();
  for (ConfigError& error : more) {
    const auto same = [&](const ConfigError& other) { return other.field == error.field && !other.warning(); };
    const auto end = all.begin() + static_cast<std::ptrdiff_t>(known);
    if (std::find_if(all.begin(), end, same) == end) all.push_back(std::move(error));
  }
}

// Whether the field is in the bootstrap, and not in a stand-in, which come after its own resources.
bool IsOwn(const Bootstrap& bootstrap, std::string_view path) {
  const size_t bracket = path.find('[');
  const auto* list = bootstrap.GetDescriptor()->FindFieldByName(std::string(path.substr(0, bracket)));
  if (list == nullptr || bracket == path.npos) return true;
  path.remove_prefix(bracket + 1);
  const auto index = ParseDecimal<unsigned>(SplitFirst(path, ']'));
  return !index || *index < static_cast<unsigned>(bootstrap.GetReflection()->FieldSize(bootstrap, list));
}

void Place(std::vector<ConfigError>& errors, const Locations& locations) {
  for (ConfigError& error : errors) {
    if (!error.file.empty()) continue;  // of another file
    const Position at = locations.Find(error.field);
    error.file = locations.file();
    error.line = at.line;
    error.col = at.col;
  }
}

// All that relies on messages that have their shape.
void CheckMessages(const Bootstrap& bootstrap, const Judged& judged, std::vector<ConfigError>& errors) {
  Join(errors, CheckWhole(bootstrap));
  Join(errors, CheckFields(bootstrap, judged));
  Join(errors, CheckNames(bootstrap));
  Join(errors, CheckSockets(bootstrap));
  Join(errors, CheckAccessLog(bootstrap));
  Join(errors, CheckChains(bootstrap));
  Join(errors, CheckAuth(bootstrap));
  Join(errors, CheckExtAuthz(bootstrap));
  Join(errors, CheckBroker(bootstrap));
  Join(errors, CheckRewrites(bootstrap));
  Join(errors, CheckSecrets(bootstrap));
  Join(errors, CheckTaps(bootstrap));
  Join(errors, CheckMitm(bootstrap));
  Join(errors, CheckWays(bootstrap));
  Join(errors, CheckXds(bootstrap));
  Join(errors, CheckPolicies(bootstrap));
}

}  // namespace

std::vector<ConfigError> ValidateUncompiled(const Bootstrap& bootstrap, const Bootstrap& valid) {
  const Judged judged(valid);
  std::vector<ConfigError> errors = CheckShape(bootstrap, judged);
  if (errors.empty()) CheckMessages(bootstrap, judged, errors);
  return errors;
}

std::vector<ConfigError> Validate(const Bootstrap& bootstrap, const Locations& locations) {
  std::vector<ConfigError> errors = CheckShape(bootstrap);
  if (errors.empty()) {
    CheckMessages(bootstrap, {}, errors);
    auto compiled = CompilePolicies(bootstrap, OwnEndpoints(bootstrap));
    if (!compiled.ok()) JoinNew(errors, compiled.error());
  }
  Place(errors, locations);
  SortByPlace(errors);
  return errors;
}

std::vector<ConfigError> ValidateOpen(const Bootstrap& bootstrap, const Locations& locations) {
  Bootstrap whole = bootstrap;
  AddStandIns(whole);
  std::vector<ConfigError> errors = Validate(whole);
  std::erase_if(errors, [&](const ConfigError& error) { return !IsOwn(bootstrap, error.field); });
  // No remedy speaks of stand-ins.
  for (const ConfigError& named : CheckNames(bootstrap))
    std::replace_if(
        errors.begin(), errors.end(), [&](const ConfigError& error) { return error.field == named.field; }, named);
  Place(errors, locations);
  SortByPlace(errors);
  return errors;
}

}  // namespace egret
