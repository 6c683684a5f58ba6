// What a policy says, as plain values with the shape and the words of egret/config/v1/policy.proto. Config fills them
// from protobuf, tests by hand; Compile (compile.h) judges them. Nothing here is checked yet.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "source/base/ip.h"

namespace egret {

enum class Assurance : uint8_t { kAny, kSourceAddress, kToken, kCertificate };  // ordered: weak to strong
enum class Protocol : uint8_t { kTls, kHttp, kOther };                          // what a tunnel carries

struct ClaimSpec {
  std::string name;
  std::vector<std::string> values;  // any of them
};

// Every list that is set must hold; within a list any entry.
struct FromSpec {
  std::vector<std::string> cidrs;
  std::vector<std::string> users;
  std::vector<std::string> groups;
  std::vector<std::string> spiffe_ids;
  std::vector<std::string> namespaces;
  std::vector<std::string> service_accounts;
  std::vector<ClaimSpec> claims;
  Assurance at_least = Assurance::kAny;
  std::vector<std::string> ja3, ja4;  // of the client's TLS inside the tunnel
};

struct PortRangeSpec {
  uint32_t first = 0;
  uint32_t last = 0;
};

struct ToSpec {
  std::vector<std::string> domains;
  std::vector<std::string> domain_sets;
  std::vector<std::string> cidrs;           // targets that are address literals
  std::vector<std::string> resolved_cidrs;  // what a name resolved to
  std::vector<uint32_t> ports;
  std::vector<PortRangeSpec> port_ranges;
  std::vector<Protocol> protocols;
};

struct HeaderSpec {
  std::string name;
  std::vector<std::string> values;  // any of them; the comparison is exact
};

struct HttpSpec {
  std::vector<std::string> methods;
  std::vector<std::string> paths;
  std::vector<std::string> path_prefixes;
  std::vector<std::string> path_regexes;
  std::vector<HeaderSpec> headers;  // every one must hold
};

struct RuleSpec {
  enum class Action : uint8_t { kUnspecified, kAllow, kDeny };
  enum class Inspection : uint8_t { kAuto, kRequired, kNever };
  enum class Mode : uint8_t { kEnforce, kAudit };

  std::string name;
  FromSpec from;
  ToSpec to;
  std::optional<HttpSpec> http;  // absent: any request, and what is not HTTP
  Action action = Action::kUnspecified;
  Inspection inspection = Inspection::kAuto;
  Mode mode = Mode::kEnforce;
  std::string message;
  std::optional<int64_t> not_before;  // seconds since 1970
  std::optional<int64_t> not_after;
  std::vector<std::string> reaches_private;
  bool without_sni = false;                  // a ClientHello need not show the name
  std::vector<std::string> ech_outer_names;  // what an encrypted one may show in its place
};

struct PolicySpec {
  enum class Otherwise : uint8_t { kDeny, kAbstain };
  enum class Mode : uint8_t { kEnforce, kAudit };

  std::string name;
  std::vector<RuleSpec> rules;
  Otherwise otherwise = Otherwise::kDeny;
  Mode mode = Mode::kEnforce;
  std::optional<int64_t> audit_until;  // seconds since 1970; after it the policy is enforced
};

struct DomainSetSpec {
  std::string name;
  std::vector<std::string> domains;       // those written in the config
  std::vector<std::string> file_domains;  // those read from the set's file, one a line; comments already gone
  std::vector<std::string> includes;
};

// What no rule can open by its name alone: guard.h.
struct AddressGuardSpec {
  enum class MixedAnswers : uint8_t { kRefuse, kFilter };

  std::vector<std::string> also_refuse;  // CIDRs: pods, services, nodes
  MixedAnswers mixed_answers = MixedAnswers::kRefuse;
  std::vector<Endpoint> own;     // listeners and admin; an unspecified address means every local one
  std::vector<IpAddress> local;  // this host's addresses, for that: guard.h's LocalAddresses()
};

struct PolicySetSpec {
  std::vector<PolicySpec> policies;
  std::vector<DomainSetSpec> domain_sets;
  AddressGuardSpec guard;
};

}  // namespace egret
