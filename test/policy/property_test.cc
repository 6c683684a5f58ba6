// What must hold of every stack of policies, on many random ones.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "test/policy/plain.h"
#include "test/policy/support.h"

namespace egret {
namespace {

using Verdict = Decision::Verdict;
using plain::End;

constexpr int kStacks = 30000;  // half of them with tunnels, half with requests
constexpr int kFewer = 3000;    // for properties of single stages

// Few values, so that rules and requests meet.
class Dice {
 public:
  explicit Dice(uint64_t seed) : random_(static_cast<unsigned>(seed * 48271 % 2147483647)) { random_.discard(3); }

  bool OneIn(unsigned n) { return random_() / 8 % n == 0; }
  size_t Below(size_t n) { return random_() / 8 % n; }
  template <class T>
  const T& Of(const std::vector<T>& list) {
    return list[Below(list.size())];
  }
  template <class T>
  std::vector<T> Some(const std::vector<T>& list) {
    std::vector<T> out;
    for (size_t count = 1 + Below(2); count > 0; --count) out.push_back(Of(list));
    return out;
  }

  RuleSpec Rule(size_t index) {
    RuleSpec out;
    out.name = "r" + std::to_string(index);
    out.action = OneIn(2) ? RuleSpec::Action::kAllow : RuleSpec::Action::kDeny;
    if (OneIn(5)) out.mode = RuleSpec::Mode::kAudit;
    if (OneIn(3)) out.to.domains = Some(patterns_);
    if (OneIn(6)) out.to.domain_sets = Some(sets_);
    if (OneIn(6)) out.to.cidrs = Some(ranges_);
    const bool named = !out.to.domains.empty() || !out.to.domain_sets.empty();
    const bool allows = out.action == RuleSpec::Action::kAllow;
    if (OneIn(6) && (named || !allows)) out.to.resolved_cidrs = Some(ranges_);
    if (OneIn(4)) out.to.ports = Some(std::vector<uint32_t>{80, 443, 22});
    if (OneIn(8)) out.to.port_ranges = {{400, 500}};
    if (OneIn(4)) out.to.protocols = Some(protocols_);
    const auto& carried = out.to.protocols;
    const bool tls = carried.empty() || std::find(carried.begin(), carried.end(), Protocol::kTls) != carried.end();
    if (OneIn(6) && tls) out.from.ja4 = Some(hellos_);
    if (OneIn(6)) out.from.cidrs = Some(ranges_);
    if (OneIn(6)) out.from.users = Some(users_);
    if (OneIn(6)) out.from.groups = Some(users_);
    if (OneIn(8)) out.from.at_least = Assurance::kToken;
    if (OneIn(3)) out.http = Http();
    if (allows && !out.http && OneIn(5)) out.inspection = RuleSpec::Inspection::kNever;
    if (allows && OneIn(8) && out.inspection == RuleSpec::Inspection::kAuto)
      out.inspection = RuleSpec::Inspection::kRequired;
    if (named && allows && tls && OneIn(3)) out.without_sni = true;
    if (named && allows && tls && OneIn(3)) out.ech_outer_names = Some(patterns_);
    if (OneIn(10)) out.not_before = 100;
    if (OneIn(10)) out.not_after = 100;
    return out;
  }

  PolicySpec Policy(std::string name) {
    PolicySpec out;
    out.name = std::move(name);
    if (OneIn(3)) out.otherwise = PolicySpec::Otherwise::kAbstain;
    if (OneIn(10)) {
      out.mode = PolicySpec::Mode::kAudit;
      out.audit_until = 100;
    }
    for (size_t count = Below(5); count > 0; --count) out.rules.push_back(Rule(out.rules.size()));
    return out;
  }

  PolicySetSpec Set() {
    PolicySetSpec out;
    for (const char* name : {"p0", "p1", "p2"}) out.policies.push_back(Policy(name));
    out.domain_sets = {
        {"s0", Some(patterns_), {}, {"s1"}}, {"s1", {}, Some(patterns_), {}}, {"s2", Some(patterns_), {}, {}}};
    return out;
  }

  std::vector<std::string> Names() {
    std::vector<std::string> out = names_;
    std::shuffle(out.begin(), out.end(), random_);
    out.resize(1 + Below(3));
    return out;
  }

  std::string Host() { return Of(hosts_); }
  std::vector<IpAddress> Addresses() {
    std::vector<IpAddress> out;
    for (const std::string& text : Some(addresses_)) out.push_back(Ip(text));
    return out;
  }
  Identity Who() {
    Identity out;
    out.user = Of(users_);
    if (OneIn(2)) out.groups = Some(users_);
    if (OneIn(2)) out.assurance = Assurance::kCertificate;
    return out;
  }
  std::string Method() { return Of(methods_); }
  std::string Path() { return Of(paths_); }
  std::vector<Field> Fields() {
    std::vector<Field> out;
    for (size_t count = Below(3); count > 0; --count) out.push_back({"x-env", Of(values_)});
    return out;
  }
  std::string Hello() { return Of(hellos_); }
  Protocol Carried() { return Of(protocols_); }

 private:
  HttpSpec Http() {
    HttpSpec out;
    if (OneIn(2)) out.methods = Some(methods_);
    if (OneIn(3)) out.paths = Some(paths_);
    if (OneIn(3)) out.path_prefixes = Some(paths_);
    if (OneIn(4)) out.headers = {{"x-env", Some(values_)}};
    if (out.methods.empty() && out.paths.empty() && out.path_prefixes.empty() && out.headers.empty())
      out.methods = {"GET"};
    return out;
  }

  std::minstd_rand random_;
  inline static const std::vector<std::string> names_ = {"p0", "p1", "p2"};
  inline static const std::vector<std::string> sets_ = {"s0", "s1", "s2"};
  inline static const std::vector<std::string> patterns_ = {"a.example",   "*.a.example", ".a.example",
                                                            ".example",    "b.example",   "*.b.example",
                                                            "x.a.example", "*.example",   "example"};
  inline static const std::vector<std::string> hosts_ = {"a.example", "x.a.example", "y.x.a.example",
                                                         "b.example", "c.example",   "example",
                                                         "8.8.8.8",   "1.1.1.1",     "a-example"};
  inline static const std::vector<std::string> ranges_ = {"8.8.8.0/24", "8.0.0.0/8", "1.1.1.1", "0.0.0.0/0",
                                                          "2606:4700::/32"};
  inline static const std::vector<std::string> addresses_ = {"8.8.8.8", "8.8.4.4", "1.1.1.1", "9.9.9.9",
                                                             "2606:4700::1"};
  inline static const std::vector<std::string> users_ = {"alice", "bob"};
  inline static const std::vector<std::string> methods_ = {"GET", "POST"};
  inline static const std::vector<std::string> paths_ = {"/", "/a", "/a/b", "/ab"};
  inline static const std::vector<std::string> values_ = {"dev", "prod"};
  inline static const std::vector<std::string> hellos_ = {"t13d1516h2_8daaf6152771_e5627efa2ab1",
                                                          "t12i000000_000000000000_000000000000"};
  inline static const std::vector<Protocol> protocols_ = {Protocol::kTls, Protocol::kHttp, Protocol::kOther};
};

// A connection with everything that will ever be known of it.
struct Story {
  explicit Story(Dice& dice)
      : target(*ParseAuthority(dice.Host(), dice.OneIn(4)   ? 22
                                            : dice.OneIn(2) ? 80
                                                            : 443)),
        addresses(target.literal ? std::vector<IpAddress>{*target.literal} : dice.Addresses()),
        who(dice.Who()),
        method(dice.Method()),
        path(dice.Path()),
        fields(dice.Fields()),
        protocol(dice.Carried()),
        ja4(dice.Hello()) {
    facts.source = Ip(dice.OneIn(2) ? "8.8.8.8" : "1.1.1.1");
    facts.target = &target;
    facts.now = 95 + static_cast<int64_t>(dice.Below(10));
    if (dice.OneIn(3))
      facts.identity = Fact<const Identity*>::Absent();
    else if (!dice.OneIn(4))
      facts.identity = &who;
  }
  Story(const Story&) = delete;
  Story& operator=(const Story&) = delete;

  void LearnAddresses() { facts.resolved = std::span<const IpAddress>(addresses); }
  void LearnProtocol() {
    facts.protocol = protocol;
    if (protocol == Protocol::kTls) facts.ja4 = std::string_view(ja4);
    if (protocol == Protocol::kTls)
      facts.sni = target.literal ? Fact<std::string_view>::Absent() : std::string_view(target.host);
  }
  void LearnRequest() {
    facts.method = std::string_view(method);
    facts.path = std::string_view(path);
    facts.headers = std::span<const Field>(fields);
  }

  Target target;
  std::vector<IpAddress> addresses;
  Identity who;
  std::string method, path;
  std::vector<Field> fields;
  Protocol protocol;
  std::string ja4;
  Facts facts;
};

std::set<End> OutcomesOf(const Decision& decision) {
  std::set<End> out;
  if (decision.can_allow) out.insert(End::kAllow);
  if (decision.can_deny) out.insert(End::kDeny);
  return out;
}

bool Within(const std::set<End>& later, const std::set<End>& before) {
  return std::includes(before.begin(), before.end(), later.begin(), later.end());
}

// Plain first match over known facts.
End FirstMatch(const PolicySetSpec& spec, const std::vector<std::string>& names, const Facts& facts) {
  const auto outcomes = plain::Judge(spec, facts).Outcomes(names);
  EXPECT_EQ(outcomes.size(), 1u);
  return *outcomes.begin();
}

class Walk {
 public:
  Walk(const PolicySetSpec& spec, const Policy& policy, const std::vector<std::string>& names, Story& story)
      : spec_(spec), names_(names), stack_(names), policy_(policy), story_(story) {}

  void Tunnel() {
    auto target = policy_.DecideTarget(stack_, story_.facts, Ask::kTunnel);
    Agrees(target.decision);
    if (!target.permit) return;
    story_.LearnAddresses();
    auto address = policy_.DecideAddress(*target.permit, story_.facts);
    Agrees(address.decision);
    if (!address.permit) return;
    story_.LearnProtocol();
    const auto hello = policy_.DecideHello(address.permit->binding(), stack_, story_.facts);
    Agrees(hello.decision);
    const bool http_inside = story_.protocol != Protocol::kOther;
    if (hello.decision.verdict == Verdict::kRelay) RelayMeansAllowed();
    if (hello.decision.verdict == Verdict::kDeny && hello.decision.fault == Fault::kPolicyDenied)
      EXPECT_EQ(OutcomesOf(hello.decision), std::set<End>{End::kDeny});
    if (!hello.inspect || !http_inside) return;
    story_.LearnRequest();
    const auto request = policy_.DecideRequest(address.permit->binding(), stack_, story_.facts);
    if (story_.facts.identity.unknown() && request.decision.reason == "undecided") return;
    Agrees(request.decision);
    EXPECT_EQ(request.permit.has_value(), FirstMatch(spec_, names_, story_.facts) == End::kAllow);
  }

  void Request() {
    story_.protocol = Protocol::kHttp;
    story_.LearnProtocol();
    story_.LearnRequest();
    auto target = policy_.DecideTarget(stack_, story_.facts, Ask::kRequest);
    Agrees(target.decision);
    if (!target.permit) return;
    const auto live = policy_.Admit(*target.permit, story_.facts, story_.addresses.front());
    story_.LearnAddresses();
    auto address = policy_.DecideAddress(*target.permit, story_.facts);
    Agrees(address.decision);
    EXPECT_EQ(address.permit.has_value(), FirstMatch(spec_, names_, story_.facts) == End::kAllow);
    if (story_.addresses.size() == 1) EXPECT_EQ(live.permit.has_value(), address.request.has_value());
    // Everything that is allowed, the audit left aside, is so without what is only audited.
    PolicySetSpec enforced = spec_;
    for (PolicySpec& policy : enforced.policies)
      std::erase_if(policy.rules, [](const RuleSpec& rule) { return rule.mode == RuleSpec::Mode::kAudit; });
    EXPECT_EQ(FirstMatch(enforced, names_, story_.facts), FirstMatch(spec_, names_, story_.facts));
    const auto audited = plain::Judge(spec_, story_.facts).Outcomes(names_, true);
    const bool differs = audited != std::set<End>{address.permit ? End::kAllow : End::kDeny};
    EXPECT_EQ(address.decision.audit != Decision::Audit::kNone, differs);
  }

 private:
  // The compiled matcher equals the plain one, and a later stage never has an outcome that an earlier one had not.
  void Agrees(const Decision& decision) {
    const auto outcomes = OutcomesOf(decision);
    EXPECT_EQ(outcomes, plain::Judge(spec_, story_.facts).Outcomes(names_)) << "at stage " << NameOf(decision.stage);
    EXPECT_TRUE(Within(outcomes, before_)) << "at stage " << NameOf(decision.stage);
    before_ = outcomes;
    if (!decision.can_allow) EXPECT_TRUE(decision.denied());
    if (decision.verdict == Verdict::kDeny && decision.fault == Fault::kPolicyDenied && decision.reason != "undecided")
      EXPECT_FALSE(decision.can_allow);
  }

  // Every completion of what is not known is allowed.
  void RelayMeansAllowed() {
    for (const char* method : {"GET", "POST", "PUT"})
      for (const char* path : {"/", "/a", "/a/b", "/ab", "/z"})
        for (const std::vector<Field>& fields :
             {std::vector<Field>{}, {{"x-env", "dev"}}, {{"x-env", "prod"}}, {{"x-env", "dev"}, {"x-env", "prod"}}}) {
          Facts facts = story_.facts;
          if (story_.protocol != Protocol::kOther) {
            facts.method = std::string_view(method);
            facts.path = std::string_view(path);
            facts.headers = std::span<const Field>(fields);
          }
          if (facts.identity.unknown()) facts.identity = Fact<const Identity*>::Absent();
          EXPECT_EQ(FirstMatch(spec_, names_, facts), End::kAllow);
        }
  }

  const PolicySetSpec& spec_;
  const std::vector<std::string>& names_;
  const PolicyStack stack_;
  const Policy& policy_;
  Story& story_;
  std::set<End> before_ = {End::kDeny, End::kAllow};
};

// A stack and a story each; three stacks of one set of policies, since compiling takes longest.
template <class Check>
void ForManyStacks(int count, uint64_t seed, Check check) {
  std::optional<PolicySetSpec> spec;
  std::shared_ptr<const Policy> policy;
  for (int i = 0; i < count && !testing::Test::HasFailure(); ++i) {
    Dice dice(seed + static_cast<uint64_t>(i));
    if (i % 3 == 0) {
      spec = dice.Set();
      policy = MustCompile(*spec);
    }
    const auto names = dice.Names();
    Story story(dice);
    check(*spec, *policy, names, story);
    if (testing::Test::HasFailure()) ADD_FAILURE() << "seed " << seed << " stack " << i;
  }
}

TEST(Properties, ATunnelIsDecidedAsThePlainProcedureDecidesIt) {
  ForManyStacks(kStacks / 2, 1'000'000, [](const auto& spec, const Policy& policy, const auto& names, Story& story) {
    Walk(spec, policy, names, story).Tunnel();
  });
}

TEST(Properties, ARequestIsDecidedByPlainFirstMatch) {
  ForManyStacks(kStacks / 2, 2'000'000, [](const auto& spec, const Policy& policy, const auto& names, Story& story) {
    Walk(spec, policy, names, story).Request();
  });
}

// Whatever a ClientHello shows, the name guard only refuses: what is let through is what the true name would have got.
TEST(Properties, TheNameGuardOnlyRefuses) {
  ForManyStacks(kFewer * 3, 6'000'000, [](const auto&, const Policy& policy, const auto& names, Story& story) {
    const PolicyStack stack(names);
    const auto target = policy.DecideTarget(stack, story.facts, Ask::kTunnel);
    if (!target.permit) return;
    story.LearnAddresses();
    const auto address = policy.DecideAddress(*target.permit, story.facts);
    if (!address.permit) return;
    story.protocol = Protocol::kTls;
    story.LearnProtocol();
    const Decision honest = policy.DecideHello(address.permit->binding(), stack, story.facts).decision;
    Dice dice(static_cast<uint64_t>(story.facts.now) * 7919 + story.addresses.size());
    for (const std::string& shown : {std::string(), dice.Host(), dice.Host()}) {
      story.facts.sni = shown.empty() ? Fact<std::string_view>::Absent() : std::string_view(shown);
      story.facts.ech = dice.OneIn(2);
      const Decision decision = policy.DecideHello(address.permit->binding(), stack, story.facts).decision;
      if (decision.rule == "name_guard") {
        EXPECT_TRUE(decision.denied());
      } else {
        EXPECT_EQ(decision.verdict, honest.verdict) << shown;
        EXPECT_EQ(decision.rule, honest.rule) << shown;
      }
    }
  });
}

// Which facts come later cannot undo a denial at T: so a name that is denied there need not be resolved.
TEST(Properties, WhatIsDeniedAtTargetIsDeniedWithEveryFactKnown) {
  ForManyStacks(kFewer, 3'000'000, [](const auto& spec, const Policy& policy, const auto& names, Story& story) {
    const auto early = policy.DecideTarget(PolicyStack(names), story.facts, Ask::kTunnel);
    if (early.decision.can_allow) return;
    EXPECT_FALSE(early.permit);
    story.LearnAddresses();
    story.LearnProtocol();
    story.LearnRequest();
    EXPECT_EQ(FirstMatch(spec, names, story.facts), End::kDeny);
  });
}

TEST(Properties, ADenyPutFirstNeverAllowsMore) {
  ForManyStacks(kFewer, 4'000'000, [](const auto& spec, const Policy& policy, const auto& names, Story& story) {
    story.LearnAddresses();
    story.LearnProtocol();
    story.LearnRequest();
    const auto allows = [&](const Policy& of) {
      return of.DecideTarget(PolicyStack(names), story.facts, Ask::kTunnel).decision.can_allow;
    };
    Dice dice(static_cast<uint64_t>(story.facts.now) * 7919 + story.target.host.size());
    PolicySetSpec narrower = spec;
    RuleSpec deny = dice.Rule(99);
    deny.action = RuleSpec::Action::kDeny;
    deny.inspection = RuleSpec::Inspection::kAuto;
    deny.without_sni = false;
    deny.ech_outer_names.clear();
    auto& rules = narrower.policies[dice.Below(3)].rules;
    rules.insert(rules.begin(), deny);
    if (allows(*MustCompile(narrower))) EXPECT_TRUE(allows(policy));
  });
}

TEST(Properties, AnAuditRuleChangesNoVerdict) {
  ForManyStacks(kFewer, 5'000'000, [](const auto& spec, const Policy& policy, const auto& names, Story& story) {
    PolicySetSpec without = spec;
    for (PolicySpec& each : without.policies)
      std::erase_if(each.rules, [](const RuleSpec& rule) { return rule.mode == RuleSpec::Mode::kAudit; });
    const auto a = policy.DecideTarget(PolicyStack(names), story.facts, Ask::kTunnel).decision;
    const auto b = MustCompile(without)->DecideTarget(PolicyStack(names), story.facts, Ask::kTunnel).decision;
    EXPECT_EQ(a.verdict, b.verdict);
    EXPECT_EQ(a.fault, b.fault);
    EXPECT_EQ(a.rule, b.rule);
    EXPECT_EQ(OutcomesOf(a), OutcomesOf(b));
  });
}

}  // namespace
}  // namespace egret
