#include "source/config/check_policies.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "source/base/strings.h"
#include "source/config/walk.h"

namespace egret {
namespace {

using config::v1::Bootstrap;
using config::v1::EgressPolicy;
using config::v1::From;
using config::v1::Rule;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// What the chains can do, and which policies they use.
class ChainSurvey : public Visitor {
 public:
  bool Seeks(const google::protobuf::Descriptor& type) override { return within_(type); }
  bool Visit(const Message& holder, const FieldDescriptor& field, const std::string& path) override {
    const std::string_view name = field.full_name();
    authenticates = authenticates || name == "egret.config.v1.HttpFilter.proxy_auth";
    authenticates = authenticates || name == "egret.filters.network.v1.TlsTerminator.client_certificates";
    if (name.starts_with("egret.filters.") && field.containing_type()->name() == "EgressPolicy")
      for (const TextAt& policy : TextsOf(holder, field, path)) used.insert(policy.text);
    return true;
  }

  bool authenticates = false;
  std::set<std::string> used;

 private:
  Within within_{[](const auto& type) { return type.file()->package().starts_with("egret.filters."); }};
};

bool AsksForIdentity(const From& from) {
  return from.users_size() + from.groups_size() + from.spiffe_ids_size() + from.namespaces_size() +
                 from.service_accounts_size() + from.claims_size() >
             0 ||
         from.at_least() > From::SOURCE_ADDRESS;
}

}  // namespace

std::vector<ConfigError> CheckPolicies(const Bootstrap& bootstrap) {
  ChainSurvey survey;
  Walk(bootstrap, "", survey);
  std::vector<ConfigError> warnings;
  const auto warn = [&](std::string path, std::string why, std::string remedy) {
    warnings.push_back({.field = std::move(path),
                        .why = std::move(why),
                        .remedy = std::move(remedy),
                        .severity = ConfigError::Severity::kWarning});
  };
  for (int i = 0; i < bootstrap.policies_size(); ++i) {
    const EgressPolicy& policy = bootstrap.policies(i);
    if (!survey.used.contains(policy.name())) continue;
    for (int j = 0; j < policy.rules_size(); ++j) {
      const Rule& rule = policy.rules(j);
      const std::string path = Below(Below(Below("policies", static_cast<size_t>(i)), "rules"), static_cast<size_t>(j));
      if (AsksForIdentity(rule.from()) && !survey.authenticates)
        warn(Below(path, "from"), "no filter finds out who asks, so this rule never matches",
             "put proxy_auth before egress_policy, or name clients by from: {cidrs: [...]}");
    }
  }
  return warnings;
}

}  // namespace egret
