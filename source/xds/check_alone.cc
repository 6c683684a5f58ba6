#include "source/xds/check_alone.h"

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/base/result.h"
#include "source/base/strings.h"
#include "source/config/authority_secret.h"
#include "source/config/secret_table.h"
#include "source/config/stand_ins.h"
#include "source/config/tls_secrets.h"
#include "source/config/validate.h"
#include "source/xds/blame.h"
#include "source/xds/choose.h"
#include "source/xds/compose.h"

namespace egret {
namespace {

using config::v1::Bootstrap;
using config::v1::Secret;

using Errors = std::map<ResourceKey, std::vector<ConfigError>>;

// Of these resources and stand-ins for what else they refer to.
Errors ErrorsOf(const Bodies& bodies) {
  const auto together = Compose({}, bodies);
  AddStandIns(*together);
  Errors errors;
  for (Blame& blame : BlameFor(*together, Validate(*together)))
    if (blame.resource && bodies.contains(*blame.resource)) errors[*blame.resource].push_back(std::move(blame.error));
  return errors;
}

std::optional<Problem> ProblemOf(const Secret& secret) {
  Bootstrap bootstrap;
  *bootstrap.add_secrets() = secret;
  const SecretTable alone(bootstrap);
  if (secret.has_certificate_authority()) {
    const auto loaded = LoadAuthorities(alone, {});
    return loaded ? std::nullopt : std::optional(loaded.error());
  }
  config::v1::ClientTls tls;
  if (secret.has_trust()) tls.set_trust(secret.name());
  if (secret.has_certificate()) tls.set_certificate(secret.name());
  if (tls.trust().empty() && tls.certificate().empty()) return std::nullopt;
  const auto made = MakeClientTls(alone, tls, "", "");
  return made ? std::nullopt : std::optional(made.error());
}

std::vector<ConfigError> ErrorsOfContent(const ResourceBody& body) {
  if (body.key.type != ResourceType::kSecret) return {};
  const auto problem = ProblemOf(static_cast<const Secret&>(*body.message));
  if (!problem) return {};
  // "secrets.NAME.certificate.key: what is wrong", or without the first part.
  std::string_view why = problem->text;
  for (const std::string& before : {std::string("secrets."), Cat(body.key.name, ".")})
    if (why.starts_with(before)) why.remove_prefix(before.size());
  const size_t colon = why.find(": ");
  if (colon == why.npos || why.substr(0, colon).find(' ') != why.npos) return {{.why = std::string(why)}};
  return {{.field = std::string(why.substr(0, colon)), .why = std::string(why.substr(colon + 2))}};
}

}  // namespace

std::vector<std::vector<ConfigError>> CheckAlone(const std::vector<BodyPtr>& bodies) {
  Bodies all;
  for (const BodyPtr& body : bodies) all[body->key] = body;
  const Errors together = ErrorsOf(all);
  std::vector<std::vector<ConfigError>> errors;
  for (const BodyPtr& body : bodies) {
    auto& own = errors.emplace_back();
    // What is wrong only beside the others is not a matter of this resource.
    if (together.contains(body->key)) own = std::move(ErrorsOf({{body->key, body}})[body->key]);
    if (own.empty()) own = ErrorsOfContent(*body);
  }
  return errors;
}

}  // namespace egret
