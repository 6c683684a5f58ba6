#include "source/config/policy_spec.h"

#include <google/protobuf/timestamp.pb.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "source/base/strings.h"
#include "source/config/address.h"
#include "source/config/domain_file.h"
#include "source/policy/guard.h"

namespace egret {
namespace {

namespace pb = config::v1;

template <class Value>
std::vector<Value> List(const google::protobuf::RepeatedPtrField<Value>& field) {
  return {field.begin(), field.end()};
}

// Whole seconds; a fraction is rounded so that a window never opens early nor closes late.
std::optional<int64_t> Seconds(bool set, const google::protobuf::Timestamp& time, bool up) {
  if (!set) return std::nullopt;
  return time.seconds() + (up && time.nanos() > 0 ? 1 : 0);
}

Assurance Of(pb::From::Assurance assurance) {
  switch (assurance) {
    case pb::From::SOURCE_ADDRESS:
      return Assurance::kSourceAddress;
    case pb::From::TOKEN:
      return Assurance::kToken;
    case pb::From::CERTIFICATE:
      return Assurance::kCertificate;
    default:
      return Assurance::kAny;
  }
}

FromSpec Of(const pb::From& from) {
  FromSpec spec;
  spec.cidrs = List(from.cidrs());
  spec.users = List(from.users());
  spec.groups = List(from.groups());
  spec.spiffe_ids = List(from.spiffe_ids());
  spec.namespaces = List(from.namespaces());
  spec.service_accounts = List(from.service_accounts());
  for (const auto& claim : from.claims()) spec.claims.push_back({claim.name(), List(claim.values())});
  spec.at_least = Of(from.at_least());
  spec.ja3 = List(from.ja3());
  spec.ja4 = List(from.ja4());
  return spec;
}

// PROTOCOL_UNSPECIFIED has no counterpart: it is told of as an error of its own.
std::optional<Protocol> Of(int protocol) {
  if (protocol == pb::To::TLS) return Protocol::kTls;
  if (protocol == pb::To::HTTP) return Protocol::kHttp;
  if (protocol == pb::To::OTHER) return Protocol::kOther;
  return std::nullopt;
}

HttpSpec Of(const pb::Http& http) {
  HttpSpec spec;
  spec.methods = List(http.methods());
  spec.paths = List(http.paths());
  spec.path_prefixes = List(http.path_prefixes());
  spec.path_regexes = List(http.path_regexes());
  for (const auto& header : http.headers()) spec.headers.push_back({header.name(), List(header.values())});
  return spec;
}

RuleSpec::Action Of(pb::Rule::Action action) {
  if (action == pb::Rule::ALLOW) return RuleSpec::Action::kAllow;
  return action == pb::Rule::DENY ? RuleSpec::Action::kDeny : RuleSpec::Action::kUnspecified;
}

RuleSpec::Inspection Of(pb::Rule::Inspection inspection) {
  if (inspection == pb::Rule::NEVER) return RuleSpec::Inspection::kNever;
  return inspection == pb::Rule::REQUIRED ? RuleSpec::Inspection::kRequired : RuleSpec::Inspection::kAuto;
}

class SpecBuilder {
 public:
  explicit SpecBuilder(std::vector<ConfigError>& errors) : errors_(errors) {}

  PolicySpec Policy(const pb::EgressPolicy& policy, const std::string& path) {
    PolicySpec spec;
    spec.name = policy.name();
    for (int i = 0; i < policy.rules_size(); ++i)
      spec.rules.push_back(Rule(policy.rules(i), Below(Below(path, "rules"), static_cast<size_t>(i))));
    if (policy.otherwise() == pb::EgressPolicy::ABSTAIN) spec.otherwise = PolicySpec::Otherwise::kAbstain;
    if (policy.mode() == pb::EgressPolicy::AUDIT) spec.mode = PolicySpec::Mode::kAudit;
    spec.audit_until = Seconds(policy.has_audit_until(), policy.audit_until(), false);
    return spec;
  }

  ReadDomainSet DomainSet(const pb::DomainSet& set, const std::string& path) {
    ReadDomainSet out;
    DomainSetSpec& spec = out.spec;
    spec.name = set.name();
    spec.domains = List(set.domains());
    spec.includes = List(set.includes());
    if (!set.has_file() || !set.file().path().starts_with('/')) return out;
    auto read = ReadDomainFile(set.file().path());
    if (read.ok()) {
      spec.file_domains = std::move(read->domains);
      out.lines = std::move(read->lines);
    } else {
      errors_.push_back({.field = Below(path, "file.path"),
                         .value = ShownValue(set.file().path()),
                         .why = read.error().why,
                         .remedy = read.error().remedy});
    }
    return out;
  }

 private:
  RuleSpec Rule(const pb::Rule& rule, const std::string& path) {
    RuleSpec spec;
    spec.name = rule.name();
    spec.from = Of(rule.from());
    spec.to = To(rule.to(), Below(path, "to"));
    if (rule.has_http()) spec.http = Of(rule.http());
    spec.action = Of(rule.action());
    spec.inspection = Of(rule.inspection());
    if (rule.mode() == pb::Rule::AUDIT) spec.mode = RuleSpec::Mode::kAudit;
    spec.message = rule.message();
    // An ALLOW gets the narrower window, a DENY the wider one.
    const bool allow = rule.action() == pb::Rule::ALLOW;
    spec.not_before = Seconds(rule.has_not_before(), rule.not_before(), allow);
    spec.not_after = Seconds(rule.has_not_after(), rule.not_after(), !allow);
    spec.reaches_private = List(rule.reaches_private());
    spec.without_sni = rule.without_sni();
    spec.ech_outer_names = List(rule.ech_outer_names());
    return spec;
  }

  ToSpec To(const pb::To& to, const std::string& path) {
    ToSpec spec;
    spec.domains = List(to.domains());
    spec.domain_sets = List(to.domain_sets());
    spec.cidrs = List(to.cidrs());
    spec.resolved_cidrs = List(to.resolved_cidrs());
    spec.ports.assign(to.ports().begin(), to.ports().end());
    for (const auto& range : to.port_ranges()) spec.port_ranges.push_back({range.first(), range.last()});
    for (int i = 0; i < to.protocols_size(); ++i) {
      const auto protocol = Of(to.protocols(i));
      if (protocol)
        spec.protocols.push_back(*protocol);
      else
        errors_.push_back({.field = Below(Below(path, "protocols"), static_cast<size_t>(i)),
                           .why = "not a protocol",
                           .remedy = "there are TLS, HTTP, OTHER"});
    }
    return spec;
  }

  std::vector<ConfigError>& errors_;
};

}  // namespace

PolicySpec ToPolicySpec(const pb::EgressPolicy& policy, const std::string& path, std::vector<ConfigError>& errors) {
  return SpecBuilder(errors).Policy(policy, path);
}

ReadDomainSet ToDomainSetSpec(const pb::DomainSet& set, const std::string& path, std::vector<ConfigError>& errors) {
  return SpecBuilder(errors).DomainSet(set, path);
}

AddressGuardSpec ToGuardSpec(const pb::Bootstrap& bootstrap, std::vector<Endpoint> own) {
  AddressGuardSpec guard;
  guard.also_refuse = List(bootstrap.address_guard().also_refuse());
  if (bootstrap.address_guard().mixed_answers() == pb::AddressGuard::FILTER)
    guard.mixed_answers = AddressGuardSpec::MixedAnswers::kFilter;
  guard.own = std::move(own);
  guard.local = LocalAddresses();
  return guard;
}

std::vector<Endpoint> OwnEndpoints(const pb::Bootstrap& bootstrap) {
  std::vector<Endpoint> own;
  const auto add = [&](std::string_view text) {
    const auto address = ParseListenAddress(text);
    if (address.ok() && !address->unix() && address->endpoint.port != 0) own.push_back(address->endpoint);
  };
  for (const auto& listener : bootstrap.listeners())
    if (listener.has_address()) add(listener.address());
  if (bootstrap.has_admin()) add(bootstrap.admin().address());
  if (bootstrap.has_metrics()) add(bootstrap.metrics().address());
  return own;
}

}  // namespace egret
