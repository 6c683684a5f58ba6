// A policy that takes over what has not changed decides like one that is compiled of everything.
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "source/policy/compile.h"
#include "source/policy/program.h"
#include "test/policy/support.h"

namespace egret {
namespace {

// What was changed since the last time.
struct Changed {
  std::set<std::string> policies, sets;
};

CompileResult Recompile(const PolicySetSpec& spec, const Changed& changed, const Policy* before) {
  PolicyChanges changes;
  for (const PolicySpec& policy : spec.policies)
    changes.policies.push_back({policy.name, !changed.policies.contains(policy.name)});
  for (const DomainSetSpec& set : spec.domain_sets)
    changes.domain_sets.push_back({set.name, !changed.sets.contains(set.name)});
  changes.policy = [&](size_t i) { return spec.policies[i]; };
  changes.domain_set = [&](size_t i) { return spec.domain_sets[i]; };
  changes.guard = spec.guard;
  return Compile(changes, before);
}

DomainSetSpec Set(std::string name, std::vector<std::string> domains, std::vector<std::string> includes = {}) {
  return {std::move(name), std::move(domains), {}, std::move(includes)};
}

RuleSpec OfSets(RuleSpec rule, std::vector<std::string> sets) {
  rule.to.domain_sets = std::move(sets);
  return rule;
}

std::string Decide(const Policy& policy, const std::string& name, const std::string& host) {
  const Target target = *ParseAuthority(host + ":443", std::nullopt);
  Facts facts;
  facts.target = &target;
  facts.source = *IpAddress::Parse("10.1.2.3");
  const Decision decision = policy.DecideTarget(Stack({name}), facts, Ask::kTunnel).decision;
  return Cat(decision.denied() ? "no " : "yes ", decision.rule);
}

TEST(Recompile, OnlyWhatChangedIsMade) {
  PolicySetSpec spec{{OnePolicy("p", {OfSets(Allow("r"), {"a"})}), OnePolicy("q", {OfSets(Allow("r"), {"b"})})},
                     {Set("a", {"a.example"}), Set("b", {"b.example"})},
                     {}};
  const auto first = *Recompile(spec, {}, nullptr);
  EXPECT_EQ(first->made().policies, 2u);
  spec.domain_sets[0].domains = {"c.example"};
  const auto second = *Recompile(spec, {{}, {"a"}}, first.get());
  EXPECT_EQ(second->made().policies, 0u);
  EXPECT_EQ(second->made().domain_sets, 1u);
  EXPECT_EQ(second->program().policies[0], first->program().policies[0]);
  EXPECT_EQ(Decide(*second, "p", "a.example"), "no otherwise");
  EXPECT_EQ(Decide(*second, "p", "c.example"), "yes r");
  EXPECT_EQ(Decide(*first, "p", "a.example"), "yes r");
  spec.policies[1].rules[0].action = RuleSpec::Action::kDeny;
  const auto third = *Recompile(spec, {{"q"}, {}}, second.get());
  EXPECT_EQ(third->made().policies, 1u);
  EXPECT_EQ(third->made().domain_sets, 0u);
  EXPECT_EQ(Decide(*third, "q", "b.example"), "no r");
}

TEST(Recompile, WhatHasNotChangedIsStillMeasuredByWhatHas) {
  PolicySetSpec spec{{OnePolicy("p", {OfSets(Allow("r"), {"a"})})}, {Set("a", {}, {"b"}), Set("b", {"b.example"})}, {}};
  const auto first = *Recompile(spec, {}, nullptr);
  // The set of a policy that is as before: gone.
  PolicySetSpec without = spec;
  without.domain_sets = {Set("b", {"b.example"})};
  const auto gone = Recompile(without, {}, first.get());
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error()[0].ToString(),
            "policies[0].rules[0].to.domain_sets[0]: \"a\": no such domain set; known are b");
  // That of a set that is as before: gone, then back; and a circle that one change closes.
  without.domain_sets = {Set("a", {}, {"b"})};
  EXPECT_EQ(Recompile(without, {}, first.get()).error()[0].path, "domain_sets[0].includes[0]");
  PolicySetSpec circle = spec;
  circle.domain_sets[1].includes = {"a"};
  EXPECT_EQ(Recompile(circle, {{}, {"b"}}, first.get()).error()[0].why, "includes itself");
  // Another include further down: the policy sees it.
  spec.domain_sets[1].includes = {"c"};
  spec.domain_sets.push_back(Set("c", {"c.example"}));
  const auto second = *Recompile(spec, {{}, {"b", "c"}}, first.get());
  EXPECT_EQ(Decide(*second, "p", "c.example"), "yes r");
}

// Any order of changes, and two worlds side by side.
class World {
 public:
  explicit World(unsigned seed) : random_(seed) {}

  void Step() {
    changed_ = {};
    for (int i = Below(3) + 1; i > 0; --i) ChangeOne();
  }
  const PolicySetSpec& spec() const { return spec_; }
  const Changed& changed() const { return changed_; }

 private:
  int Below(int end) { return static_cast<int>(random_() % static_cast<unsigned>(end)); }
  static std::string Name(char kind, int number) { return std::string(1, kind) + std::to_string(number); }
  std::string AnyDomain() {
    static constexpr const char* kBefore[] = {"", "", "*.", "."};
    return Cat(kBefore[Below(4)], Below(2) == 0 ? "" : "x.", "h", Below(12), ".example");
  }
  std::vector<std::string> Domains(int most) {
    std::vector<std::string> out(static_cast<size_t>(Below(most + 1)));
    std::generate(out.begin(), out.end(), [this] { return AnyDomain(); });
    return out;
  }

  void ChangeOne() {
    const int number = Below(6);
    if (Below(2) == 0) {
      const std::string name = Name('s', number);
      std::erase_if(spec_.domain_sets, [&](const auto& set) { return set.name == name; });
      changed_.sets.insert(name);
      if (Below(5) == 0) return;
      DomainSetSpec set = Set(name, Domains(6));
      // Of those above only, so that there is no circle; perhaps of one that is not there.
      if (number < 5 && Below(3) == 0) set.includes = {Name('s', number + 1 + Below(5 - number))};
      spec_.domain_sets.insert(spec_.domain_sets.begin() + Below(static_cast<int>(spec_.domain_sets.size()) + 1), set);
    } else {
      const std::string name = Name('p', number);
      std::erase_if(spec_.policies, [&](const auto& policy) { return policy.name == name; });
      changed_.policies.insert(name);
      if (Below(5) == 0) return;
      std::vector<RuleSpec> rules;
      for (int i = Below(4); i > 0; --i) {
        RuleSpec rule = Below(2) == 0 ? Allow(Cat("r", i), Domains(3)) : Deny(Cat("r", i), Domains(3));
        if (Below(2) == 0) rule.to.domain_sets = {Name('s', Below(6))};
        if (Below(4) == 0) rule.to.cidrs = {Cat("192.0.", Below(3), ".0/24")};
        rules.push_back(rule);
      }
      spec_.policies.push_back(OnePolicy(name, rules));
    }
  }

  std::mt19937 random_;
  PolicySetSpec spec_;
  Changed changed_;
};

std::vector<std::string> ErrorsOf(const CompileResult& result) {
  std::vector<std::string> out;
  if (!result)
    for (const PolicyError& error : result.error()) out.push_back(error.ToString());
  return out;
}

std::vector<std::string> EveryDecision(const Policy& policy) {
  std::vector<std::string> out;
  for (const std::string_view name : policy.Names()) {
    for (int i = 0; i < 12; ++i)
      for (const char* before : {"", "x.", "y.x."})
        out.push_back(Cat(name, " ", Decide(policy, std::string(name), Cat(before, "h", i, ".example"))));
    for (int i = 0; i < 3; ++i)
      out.push_back(Cat(name, " ", Decide(policy, std::string(name), Cat("192.0.", i, ".7"))));
  }
  return out;
}

TEST(Recompile, IsAsGoodAsCompilingEverything) {
  int refused = 0;
  for (unsigned seed = 0; seed < 40; ++seed) {
    World world(seed);
    Changed since;  // `kept`
    std::shared_ptr<const Policy> kept;
    for (int step = 0; step < 40; ++step) {
      world.Step();
      since.policies.insert(world.changed().policies.begin(), world.changed().policies.end());
      since.sets.insert(world.changed().sets.begin(), world.changed().sets.end());
      const CompileResult whole = Compile(world.spec());
      const CompileResult next = Recompile(world.spec(), since, kept.get());
      ASSERT_EQ(ErrorsOf(next), ErrorsOf(whole)) << seed << " " << step;
      refused += !next;
      if (!next) continue;
      ASSERT_EQ(EveryDecision(**next), EveryDecision(**whole)) << seed << " " << step;
      EXPECT_LE((*next)->made().policies, since.policies.size() + world.spec().policies.size());
      kept = *next;
      since = {};
    }
  }
  EXPECT_GT(refused, 50);
}

TEST(Recompile, ALargeIndexSharesAlmostAllOfItself) {
  std::vector<std::string> many;
  for (int i = 0; i < 20'000; ++i) many.push_back(Cat("host", i, ".example"));
  PolicySetSpec spec{{OnePolicy("p", {OfSets(Allow("r"), {"large"}), OfSets(Deny("s"), {"small"})})},
                     {Set("large", many), Set("small", {"one.example"})},
                     {}};
  const auto first = *Recompile(spec, {}, nullptr);
  spec.domain_sets[1].domains = {"two.example"};
  const auto second = *Recompile(spec, {{}, {"small"}}, first.get());
  const NameIndex& names = second->program().names;
  EXPECT_GT(names.shards(), 50u);
  EXPECT_GE(names.SharedWith(first->program().names) + 2, names.shards());
  EXPECT_EQ(names.size(), 20'001u);
  for (int i = 0; i < 20'000; i += 97) EXPECT_EQ(Decide(*second, "p", many[static_cast<size_t>(i)]), "yes r");
}

}  // namespace
}  // namespace egret
