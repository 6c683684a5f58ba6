// What a policy may not say, and how it is told: all at once, where, why and what to write instead.
#include "source/policy/compile.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "test/policy/support.h"

namespace egret {
namespace {

// "path: why" of every error.
std::vector<std::string> ErrorsOf(const PolicySetSpec& spec) {
  std::vector<std::string> out;
  const auto compiled = Compile(spec);
  if (compiled) return out;
  for (const PolicyError& error : compiled.error()) out.push_back(error.path + ": " + error.why);
  return out;
}

std::string ErrorsOf(const RuleSpec& rule) {
  std::string out;
  for (const std::string& error : ErrorsOf(PolicySetSpec{{OnePolicy("p", {rule})}, {}, {}})) out += error + "\n";
  return out;
}

using Change = void (*)(RuleSpec&);

struct Case {
  const char* field;
  const char* why;
  Change change;
};

TEST(Compile, EveryMistakeInARuleIsNamed) {
  const std::vector<Case> cases = {
      {"name", "a-z", [](RuleSpec& r) { r.name = "Upper"; }},
      {"name", "a-z", [](RuleSpec& r) { r.name = ""; }},
      {"name", "a-z", [](RuleSpec& r) { r.name = std::string(64, 'a'); }},
      {"action", "no action", [](RuleSpec& r) { r.action = RuleSpec::Action::kUnspecified; }},
      {"message", "500", [](RuleSpec& r) { r.message = std::string(501, 'x'); }},
      {"message", "control", [](RuleSpec& r) { r.message = "a\nb"; }},
      {"not_after", "before", [](RuleSpec& r) { r.not_before = 10, r.not_after = 9; }},
      {"to.domains[1]", "port", [](RuleSpec& r) { r.to.domains = {"a.example", "b.example:443"}; }},
      {"to.domain_sets[0]", "no such", [](RuleSpec& r) { r.to.domain_sets = {"nowhere"}; }},
      {"to.cidrs[0]", "beyond the prefix", [](RuleSpec& r) { r.to.cidrs = {"10.0.0.1/8"}; }},
      {"to.cidrs[0]", "not an address range", [](RuleSpec& r) { r.to.cidrs = {"010.0.0.0/8"}; }},
      {"from.cidrs[0]", "not an address range", [](RuleSpec& r) { r.from.cidrs = {"example.com"}; }},
      {"to.ports[0]", "1 to 65535", [](RuleSpec& r) { r.to.ports = {0}; }},
      {"to.ports[0]", "1 to 65535", [](RuleSpec& r) { r.to.ports = {70000}; }},
      {"to.port_ranges[0]", "1 to 65535", [](RuleSpec& r) { r.to.port_ranges = {{9, 8}}; }},
      {"from.users[0]", "empty", [](RuleSpec& r) { r.from.users = {""}; }},
      {"from.spiffe_ids[0]", "not a SPIFFE ID", [](RuleSpec& r) { r.from.spiffe_ids = {"prod/ns"}; }},
      {"from.spiffe_ids[0]", "whole segments", [](RuleSpec& r) { r.from.spiffe_ids = {"spiffe://prod/ns/b*"}; }},
      {"from.spiffe_ids[0]", "whole segments", [](RuleSpec& r) { r.from.spiffe_ids = {"spiffe://prod/*/x"}; }},
      {"from.service_accounts[0]", "namespace/name", [](RuleSpec& r) { r.from.service_accounts = {"ci"}; }},
      {"from.claims[0].values", "no values", [](RuleSpec& r) { r.from.claims = {{"aud", {}}}; }},
      {"from.ja3[0]", "not a JA3", [](RuleSpec& r) { r.from.ja3 = {"ADA70206E40642A3E4461F35503241D5"}; }},
      {"from.ja3[1]", "not a JA3",
       [](RuleSpec& r) { r.from.ja3 = {"ada70206e40642a3e4461f35503241d5", "t13d1516h2_8daaf6152771_e5627efa2ab1"}; }},
      {"from.ja3[0]", "empty", [](RuleSpec& r) { r.from.ja3 = {""}; }},
      {"from.ja4[0]", "not a JA4", [](RuleSpec& r) { r.from.ja4 = {"q13d1516h2_8daaf6152771_e5627efa2ab1"}; }},
      {"from.ja4[0]", "not a JA4", [](RuleSpec& r) { r.from.ja4 = {"t14d1516h2_8daaf6152771_e5627efa2ab1"}; }},
      {"from.ja4[0]", "not a JA4", [](RuleSpec& r) { r.from.ja4 = {"t13d1516h2_8daaf6152771_e5627efa2abg"}; }},
      {"from.ja4[0]", "not a JA4", [](RuleSpec& r) { r.from.ja4 = {"t13d1516h2_8daaf6152771"}; }},
      {"from.ja4", "only TLS",
       [](RuleSpec& r) {
         r.from.ja4 = {"t13d1516h2_8daaf6152771_e5627efa2ab1"};
         r.to.protocols = {Protocol::kHttp};
       }},
      {"without_sni", "only an ALLOW",
       [](RuleSpec& r) { r.action = RuleSpec::Action::kDeny, r.without_sni = true, r.to.domains = {"a.example"}; }},
      {"without_sni", "every name", [](RuleSpec& r) { r.to.domains.clear(), r.without_sni = true; }},
      {"without_sni", "no TLS",
       [](RuleSpec& r) { r.without_sni = true, r.to.domains = {"a.example"}, r.to.protocols = {Protocol::kHttp}; }},
      {"ech_outer_names", "every name", [](RuleSpec& r) { r.to.domains.clear(), r.ech_outer_names = {"a.example"}; }},
      {"ech_outer_names[1]", "not a name",
       [](RuleSpec& r) { r.to.domains = {"a.example"}, r.ech_outer_names = {"b.example", "https://c.example"}; }},
      {"http", "no condition", [](RuleSpec& r) { r.http.emplace(); }},
      {"http.methods[0]", "upper case", [](RuleSpec& r) { r.http = {{"get"}, {}, {}, {}, {}}; }},
      {"http.paths[0]", "begins with", [](RuleSpec& r) { r.http = {{}, {"a"}, {}, {}, {}}; }},
      {"http.paths[0]", "query", [](RuleSpec& r) { r.http = {{}, {"/a?b"}, {}, {}, {}}; }},
      {"http.paths[0]", "otherwise", [](RuleSpec& r) { r.http = {{}, {"/a/../b"}, {}, {}, {}}; }},
      {"http.path_prefixes[0]", "by itself", [](RuleSpec& r) { r.http = {{}, {}, {"/repos/*"}, {}, {}}; }},
      {"http.path_regexes[0]", "missing )", [](RuleSpec& r) { r.http = {{}, {}, {}, {"(a"}, {}}; }},
      {"http.path_regexes[0]", "(?=", [](RuleSpec& r) { r.http = {{}, {}, {}, {"(?=a)"}, {}}; }},
      {"http.headers[0].name", "field name", [](RuleSpec& r) { r.http = {{}, {}, {}, {}, {{"a b", {}}}}; }},
      {"http.headers[0].values[0]", "white space", [](RuleSpec& r) { r.http = {{}, {}, {}, {}, {{"a", {" x"}}}}; }},
      {"to.resolved_cidrs", "by address alone",
       [](RuleSpec& r) { r.to.domains.clear(), r.to.resolved_cidrs = {"8.8.8.0/24"}; }},
      {"to.resolved_cidrs", "by address alone",
       [](RuleSpec& r) { r.to.domains.clear(), r.to.cidrs = r.to.resolved_cidrs = {"8.8.8.0/24"}; }},
      {"reaches_private", "every name", [](RuleSpec& r) { r.to.domains.clear(), r.reaches_private = {"10.0.0.0/8"}; }},
      {"reaches_private", "metadata", [](RuleSpec& r) { r.reaches_private = {"169.254.169.254/32"}; }},
      {"reaches_private", "link_local", [](RuleSpec& r) { r.reaches_private = {"169.254.0.0/16"}; }},
      {"inspection", "a DENY",
       [](RuleSpec& r) {
         r.action = RuleSpec::Action::kDeny;
         r.inspection = RuleSpec::Inspection::kRequired;
       }},
      {"inspection", "only be told from inside",
       [](RuleSpec& r) {
         r.inspection = RuleSpec::Inspection::kNever;
         r.http = {{"GET"}, {}, {}, {}, {}};
       }},
  };
  EXPECT_EQ(ErrorsOf(Allow("fine", {"a.example"})), "");
  for (const Case& c : cases) {
    RuleSpec rule = Allow("fine", {"a.example"});
    c.change(rule);
    const std::string errors = ErrorsOf(rule);
    EXPECT_EQ(errors.find(std::string("policies[0].rules[0].") + c.field + ": "), 0u) << c.field << ": " << errors;
    EXPECT_NE(errors.find(c.why), std::string::npos) << errors;
  }
}

TEST(Compile, P12_OverlongAndOvergrownExpressionsAreRefused) {
  RuleSpec rule = Allow("r", {"a.example"});
  rule.http = {{}, {}, {}, {std::string(5000, 'a'), "((a{1,100}){1,100}){1,10}", "(a|b)*c{1,900}{1,900}"}, {}};
  const std::string errors = ErrorsOf(rule);
  for (const char* path : {"path_regexes[0]", "path_regexes[1]", "path_regexes[2]"})
    EXPECT_NE(errors.find(path), std::string::npos) << errors;
}

TEST(Compile, AllErrorsComeAtOnce) {
  PolicySetSpec spec;
  RuleSpec bad = Allow("a", {"x:1", "*"});
  bad.to.ports = {0};
  spec.policies = {OnePolicy("p", {bad, Allow("a"), Allow("b")}), OnePolicy("p", {}), OnePolicy("", {})};
  spec.policies[1].mode = PolicySpec::Mode::kAudit;
  spec.domain_sets = {{"s", {"http://x"}, {"y/"}, {"t", "u"}}, {"t", {}, {}, {"s"}}, {"s", {}, {}, {}}};
  spec.guard.also_refuse = {"10.0.0.0/33"};
  const auto errors = ErrorsOf(spec);
  const std::vector<std::string> paths = {
      "domain_sets[0].domains[0]",
      "domain_sets[0].file[0]",
      "domain_sets[2].name",
      "domain_sets[0].includes[1]",
      "domain_sets[1].includes[0]",
      "policies[0].rules[0].to.ports[0]",
      "policies[0].rules[0].to.domains[0]",
      "policies[0].rules[0].to.domains[1]",
      "policies[0].rules[1].name",
      "policies[1].audit_until",
      "policies[1].name",
      "policies[2].name",
      "guard.also_refuse[0]",
  };
  ASSERT_EQ(errors.size(), paths.size());
  for (size_t i = 0; i < paths.size(); ++i) EXPECT_EQ(errors[i].substr(0, errors[i].find(": ")), paths[i]);
}

TEST(Compile, AnErrorSaysWhatToWrite) {
  const auto compiled = Compile({{OnePolicy("p", {Allow("a", {"example.com:8443"})})}, {}, {}});
  ASSERT_FALSE(compiled);
  EXPECT_EQ(compiled.error().front().ToString(),
            "policies[0].rules[0].to.domains[0]: \"example.com:8443\": a port has no place here; write \"example.com\" "
            "and to.ports: [8443]");
  RuleSpec rule = Allow("a", {"x.example"});
  rule.from.cidrs = {"10.1.2.3/8"};
  const auto cidr = Compile({{OnePolicy("p", {rule})}, {}, {}});
  ASSERT_FALSE(cidr);
  EXPECT_EQ(cidr.error().front().remedy, "write \"10.0.0.0/8\"");
}

TEST(Compile, ASetThatIncludesItselfIsACircle) {
  PolicySetSpec spec;
  spec.domain_sets = {{"a", {}, {}, {"b"}}, {"b", {}, {}, {"c"}}, {"c", {}, {}, {"a"}}, {"d", {}, {}, {"d"}}};
  const auto errors = ErrorsOf(spec);
  ASSERT_EQ(errors.size(), 2u);
  EXPECT_EQ(errors[0], "domain_sets[2].includes[0]: includes itself");
  EXPECT_EQ(errors[1], "domain_sets[3].includes[0]: includes itself");
}

TEST(Compile, TwoSetsMayIncludeTheSameThird) {
  PolicySetSpec spec;
  spec.domain_sets = {{"a", {}, {}, {"c"}}, {"b", {}, {}, {"c", "a"}}, {"c", {"x.example"}, {}, {}}};
  EXPECT_TRUE(ErrorsOf(spec).empty());
}

TEST(Compile, AListThatIsAllWrongEndsAtAThousandErrors) {
  PolicySetSpec spec;
  spec.domain_sets = {{"a", std::vector<std::string>(5000, "*"), {}, {}}};
  EXPECT_EQ(ErrorsOf(spec).size(), 1000u);
}

TEST(Compile, TheNextBoundaryIsWhenAWindowOrAnAuditChanges) {
  RuleSpec timed = Allow("a", {"x.example"});
  timed.not_before = 100;
  timed.not_after = 200;
  PolicySpec audited = OnePolicy("q", {Deny("d")});
  audited.mode = PolicySpec::Mode::kAudit;
  audited.audit_until = 150;
  const auto policy = MustCompile({{OnePolicy("p", {timed}), audited}, {}, {}});
  EXPECT_EQ(policy->NextBoundary(0), 100);
  EXPECT_EQ(policy->NextBoundary(100), 150);
  EXPECT_EQ(policy->NextBoundary(150), 201);
  EXPECT_EQ(policy->NextBoundary(201), std::nullopt);
  EXPECT_FALSE(policy->Enforced("q", 149));
  EXPECT_TRUE(policy->Enforced("q", 150));
  EXPECT_TRUE(policy->Enforced("p", 0));
}

}  // namespace
}  // namespace egret
