// What must hold of policies that go by who asks, on many random ones: identities of every kind, found out or not.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "source/auth/workloads.h"
#include "test/policy/plain.h"
#include "test/policy/support.h"

namespace egret {
namespace {

using plain::End;

constexpr int kPolicies = 2000, kAskersOfEach = 6;
constexpr int64_t kNow = 1'800'000'000;

using Texts = std::vector<std::string>;

// Few values, so that rules and people meet; some are nearly others.
class People {
 public:
  explicit People(unsigned seed) : random_(seed) { random_.discard(3); }

  bool OneIn(unsigned n) { return random_() / 8 % n == 0; }
  size_t Below(size_t n) { return random_() / 8 % n; }
  const std::string& Of(const Texts& list) { return list[Below(list.size())]; }
  Texts Some(const Texts& list) {
    Texts out;
    for (size_t count = 1 + Below(2); count > 0; --count) out.push_back(Of(list));
    return out;
  }

  FromSpec From() {
    FromSpec out;
    if (OneIn(4)) out.users = Some(users_);
    if (OneIn(4)) out.groups = Some(groups_);
    if (OneIn(4)) out.spiffe_ids = Some(id_patterns_);
    if (OneIn(4)) out.namespaces = Some(namespaces_);
    if (OneIn(4)) out.service_accounts = Some(accounts_);
    if (OneIn(3))
      for (size_t count = 1 + Below(2); count > 0; --count) out.claims.push_back({Of(claims_), Some(values_)});
    if (OneIn(5)) out.at_least = static_cast<Assurance>(1 + Below(3));
    if (OneIn(6)) out.cidrs = Some(ranges_);
    return out;
  }

  PolicySetSpec Policies() {
    PolicySetSpec out;
    for (const char* name : {"guardrails", "web"}) {
      PolicySpec& policy = out.policies.emplace_back(OnePolicy(name, {}));
      if (OneIn(3)) policy.otherwise = PolicySpec::Otherwise::kAbstain;
      for (size_t count = Below(5); count > 0; --count) {
        const std::string rule = "r" + std::to_string(count);
        policy.rules.push_back(OneIn(2) ? Allow(rule, {Of(patterns_)}) : Deny(rule, {Of(patterns_)}));
        policy.rules.back().from = From();
      }
    }
    return out;
  }

  // Who has which address, and one of nobody's.
  std::vector<WorkloadSpec> Workloads() {
    std::vector<WorkloadSpec> out;
    for (size_t count = Below(4); count > 0; --count) {
      WorkloadSpec& one = out.emplace_back();
      for (const std::string& address : Some(addresses_)) one.addresses.push_back(Ip(address));
      const std::string& account = Of(accounts_);
      one.namespace_ = account.substr(0, account.find('/'));
      if (OneIn(2)) one.service_account = account.substr(account.find('/') + 1);
      if (OneIn(2)) one.labels = {{"team", Of(values_)}};
      if (OneIn(2)) one.groups = Some(groups_);
    }
    return out;
  }

  // By a token, a password or a certificate.
  Identity Known() {
    Identity out;
    out.assurance = static_cast<Assurance>(Below(4));
    if (OneIn(2)) out.user = Of(users_);
    if (OneIn(2)) out.groups = Some(groups_);
    if (OneIn(3)) out.spiffe_id = Of(ids_);
    if (OneIn(3)) out.namespace_ = Of(namespaces_);
    if (OneIn(3)) out.service_account = Of(accounts_);
    for (size_t count = Below(3); count > 0; --count) out.claims.push_back({Of(claims_), Some(values_)});
    if (OneIn(4)) out.ends = kNow + static_cast<int64_t>(Below(3)) - 1;
    return out;
  }

  std::string Host() { return Of(hosts_); }
  IpAddress Source() { return Ip(Of(addresses_)); }

 private:
  std::minstd_rand random_;
  inline static const Texts users_ = {"alice", "bob", "alic", "Alice"}, groups_ = {"ci", "dev", "ci-dev"},
                            namespaces_ = {"build", "shop", "buil"},
                            accounts_ = {"build/ci", "build/cd", "shop/ci", "buil/ci"},
                            ids_ = {"spiffe://prod/ns/build", "spiffe://prod/ns/build/sa/ci",
                                    "spiffe://prod/ns/builder", "spiffe://test/ns/build"},
                            id_patterns_ = {"spiffe://prod/ns/build", "spiffe://prod/ns/build/*", "spiffe://prod/*",
                                            "spiffe://test/ns/build"},
                            claims_ = {"team", "label.team", "role"}, values_ = {"red", "blue", "re"},
                            ranges_ = {"192.0.2.0/25", "192.0.2.7", "::/0"},
                            addresses_ = {"192.0.2.7", "192.0.2.200", "2001:db8::7"},
                            patterns_ = {"a.example", ".a.example", "*.example"},
                            hosts_ = {"a.example", "x.a.example", "b.example", "example"};
};

// A connection, and who is behind it as far as that was found out.
struct Asker {
  Asker(People& people, const std::vector<WorkloadSpec>& specs) : target(To(people.Host() + ":443")) {
    facts.source = people.Source();
    facts.target = &target;
    facts.now = kNow;
    const auto table = Workloads::Make(specs, nullptr);
    if (people.OneIn(4)) return;  // unknown
    who = people.OneIn(2) ? std::make_shared<const Identity>(people.Known()) : table->Find(facts.source);
    facts.identity = IdentityFact(who.get(), kNow);
  }
  Asker(const Asker&) = delete;
  Asker& operator=(const Asker&) = delete;

  Target target;
  std::shared_ptr<const Identity> who;
  Facts facts;
};

std::set<End> OutcomesOf(const Decision& decision) {
  std::set<End> out;
  if (decision.can_allow) out.insert(End::kAllow);
  if (decision.can_deny) out.insert(End::kDeny);
  return out;
}

template <class Check>
void ForManyAskers(unsigned seed, Check check) {
  const Texts names = {"guardrails", "web"};
  for (int i = 0; i < kPolicies && !testing::Test::HasFailure(); ++i) {
    People people(seed + static_cast<unsigned>(i) * 2);
    const PolicySetSpec spec = people.Policies();
    const std::vector<WorkloadSpec> workloads = people.Workloads();
    const auto policy = MustCompile(spec);
    for (int j = 0; j < kAskersOfEach; ++j) {
      Asker asker(people, workloads);
      check(spec, *policy, names, asker);
      if (testing::Test::HasFailure()) ADD_FAILURE() << "policy " << i << " asker " << j;
    }
  }
}

Decision Decide(const Policy& policy, const Texts& names, const Facts& facts) {
  return policy.DecideTarget(PolicyStack(names), facts, Ask::kTunnel).decision;
}

TEST(IdentityProperties, WhoAsksIsJudgedAsThePlainProcedureJudgesIt) {
  int known = 0, absent = 0, unknown = 0, allowed = 0, denied = 0;
  ForManyAskers(7'000'001, [&](const auto& spec, const Policy& policy, const auto& names, const Asker& asker) {
    const auto outcomes = OutcomesOf(Decide(policy, names, asker.facts));
    EXPECT_EQ(outcomes, plain::Judge(spec, asker.facts).Outcomes(names));
    (asker.facts.identity.known() ? known : asker.facts.identity.absent() ? absent : unknown) += 1;
    allowed += outcomes.contains(End::kAllow) ? 1 : 0;
    denied += outcomes.contains(End::kDeny) ? 1 : 0;
  });
  for (const int count : {known, absent, unknown, allowed, denied}) EXPECT_GT(count, kPolicies / 4);
}

// Whom it turns out to be settles what was open, and opens nothing that was settled.
TEST(IdentityProperties, WhoeverItTurnsOutToBeIsWithinWhatWasPossible) {
  ForManyAskers(8'000'001, [&](const auto&, const Policy& policy, const auto& names, const Asker& asker) {
    Facts before = asker.facts;
    before.identity = {};
    const auto possible = OutcomesOf(Decide(policy, names, before));
    for (const auto& after : {asker.facts.identity, Fact<const Identity*>::Absent()}) {
      Facts facts = asker.facts;
      facts.identity = after;
      const auto outcomes = OutcomesOf(Decide(policy, names, facts));
      EXPECT_TRUE(std::includes(possible.begin(), possible.end(), outcomes.begin(), outcomes.end()));
    }
  });
}

// Nobody is asked who they are where no answer could change what becomes of them.
TEST(IdentityProperties, AChallengeIsOnlyForWhomItMayHelp) {
  int challenges = 0;
  ForManyAskers(9'000'001, [&](const auto&, const Policy& policy, const auto& names, const Asker& asker) {
    const Decision decision = Decide(policy, names, asker.facts);
    if (decision.verdict != Decision::Verdict::kChallenge) return;
    ++challenges;
    EXPECT_TRUE(asker.facts.identity.unknown());
    EXPECT_TRUE(decision.can_allow && decision.can_deny);
    Facts nobody = asker.facts;
    nobody.identity = Fact<const Identity*>::Absent();
    EXPECT_NE(Decide(policy, names, nobody).verdict, Decision::Verdict::kChallenge);
  });
  EXPECT_GT(challenges, kPolicies / 10);
}

}  // namespace
}  // namespace egret
