#include "source/policy/compile.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "source/base/strings.h"
#include "source/policy/compile_rule.h"
#include "source/policy/compile_sets.h"
#include "source/policy/match.h"
#include "source/policy/program.h"

namespace egret {
namespace {

std::string At(std::string_view list, size_t index) { return Cat(list, '[', index, ']'); }

class Compiler {
 public:
  Compiler(const PolicyChanges& changes, const Program* before) : changes_(changes), before_(before) {
    if (before_ == nullptr) return;
    program_->groups = before_->groups;
    gone_.resize(before_->groups.end());
  }

  CompileResult Run() {
    sets_.Run();
    for (size_t i = 0; i < changes_.policies.size(); ++i) AddPolicy(i);
    DropOthers();
    Guard();
    if (!errors_.empty()) return errors_.Take();
    program_->names = NameIndex(before_ == nullptr ? NameIndex() : before_->names, gone_, names_);
    Addresses();
    auto& boundaries = program_->boundaries;
    std::sort(boundaries.begin(), boundaries.end());
    boundaries.erase(std::unique(boundaries.begin(), boundaries.end()), boundaries.end());
    return std::shared_ptr<const Policy>(std::make_shared<Policy>(std::move(program_)));
  }

 private:
  void AddPolicy(size_t index) {
    const std::string path = At("policies", index);
    const std::string_view name = changes_.policies[index].name;
    std::shared_ptr<const CompiledPolicy> policy = AsBefore(changes_.policies[index]);
    if (policy == nullptr) {
      policy = PolicyOf(changes_.policy(index), path);
      ++program_->made.policies;
      ranges_changed_ = ranges_changed_ || !policy->ranges.empty();
    }
    if (!program_->by_name.try_emplace(policy->name, policy.get()).second)
      errors_.Add(Cat(path, ".name"), name, "a policy of this name stands above", "rename one");
    program_->uses_fingerprints |= policy->uses_fingerprints;
    program_->boundaries.insert(program_->boundaries.end(), policy->boundaries.begin(), policy->boundaries.end());
    program_->policies.push_back(std::move(policy));
  }

  // Null where it has to be compiled.
  std::shared_ptr<const CompiledPolicy> AsBefore(const PolicyChanges::Item& item) const {
    if (before_ == nullptr || !item.same) return nullptr;
    const auto at = before_->by_name.find(item.name);
    if (at == before_->by_name.end()) return nullptr;
    const auto& sets = at->second->sets;
    const bool moved = std::any_of(sets.begin(), sets.end(), [this](const auto& set) { return sets_.Moved(set); });
    return moved ? nullptr : at->second->shared_from_this();
  }

  // Those that were there before and are not now, or not as they were.
  void DropOthers() {
    if (before_ == nullptr) return;
    for (const auto& policy : before_->policies) {
      const auto now = program_->by_name.find(policy->name);
      if (now != program_->by_name.end() && now->second == policy.get()) continue;
      ranges_changed_ = ranges_changed_ || !policy->ranges.empty();
      for (const uint32_t group : policy->groups) {
        gone_[group] = true;
        program_->groups.Free(group);
      }
    }
  }

  std::shared_ptr<const CompiledPolicy> PolicyOf(const PolicySpec& spec, const std::string& path) {
    auto policy = std::make_shared<CompiledPolicy>();
    policy->name = spec.name;
    policy->abstains = spec.otherwise == PolicySpec::Otherwise::kAbstain;
    if (spec.name.empty()) errors_.Add(Cat(path, ".name"), "", "no name", "give it one");
    if (spec.mode == PolicySpec::Mode::kAudit) {
      if (!spec.audit_until)
        errors_.Add(Cat(path, ".audit_until"), "", "mode AUDIT without an end",
                    "write until when; then it is enforced");
      policy->audit_until = spec.audit_until.value_or(0);
      if (spec.audit_until) policy->boundaries.push_back(*spec.audit_until);
    }
    policy->any_name.resize((spec.rules.size() + 63) / 64);
    policy->any_literal = policy->any_name;
    std::map<std::string_view, size_t> names;
    for (size_t i = 0; i < spec.rules.size(); ++i) {
      const RuleSpec& rule = spec.rules[i];
      const std::string at = At(Cat(path, ".rules"), i);
      if (!names.try_emplace(rule.name, i).second)
        errors_.Add(Cat(at, ".name"), rule.name, "a rule of this name stands above", "rename one");
      policy->rules.push_back(CompileRule(rule, at, errors_));
      policy->has_audit_rules |= policy->rules.back().audit;
      policy->uses_fingerprints |= (policy->rules.back().groups & kFingerprintGroups) != 0;
      Hosts(*policy, rule, static_cast<uint32_t>(i), Cat(at, ".to"));
      if (rule.not_before) policy->boundaries.push_back(*rule.not_before);
      if (rule.not_after) policy->boundaries.push_back(*rule.not_after + 1);
    }
    std::sort(policy->sets.begin(), policy->sets.end());
    policy->sets.erase(std::unique(policy->sets.begin(), policy->sets.end()), policy->sets.end());
    return policy;
  }

  void Hosts(CompiledPolicy& policy, const RuleSpec& spec, uint32_t rule, const std::string& path) {
    const ToSpec& to = spec.to;
    const uint64_t bit = uint64_t{1} << rule % 64;
    CompiledRule& compiled = policy.rules[rule];
    const bool any = to.domains.empty() && to.domain_sets.empty() && to.cidrs.empty();
    if (any) policy.any_name[rule / 64] |= bit;
    if (any && !compiled.allows) policy.any_literal[rule / 64] |= bit;
    if (!any || compiled.allows) compiled.groups |= 1u << static_cast<unsigned>(Group::kHost);
    if (!to.domains.empty()) {
      const uint32_t group = NewGroup(policy);
      CompileNames(to.domains, Cat(path, ".domains"), group, names_, errors_);
      policy.by_name_group[group].push_back(rule);
    }
    if (!to.cidrs.empty()) {
      const uint32_t group = NewGroup(policy);
      for (const Cidr& range : CompileCidrs(to.cidrs, Cat(path, ".cidrs"), errors_))
        policy.ranges.emplace_back(range, group);
      policy.by_address_group[group].push_back(rule);
    }
    for (size_t i = 0; i < to.domain_sets.size(); ++i) {
      const auto set = program_->sets->find(to.domain_sets[i]);
      if (set == program_->sets->end()) {
        errors_.Add(At(Cat(path, ".domain_sets"), i), to.domain_sets[i], "no such domain set", sets_.Known());
        continue;
      }
      for (const uint32_t group : set->second.closure) policy.by_name_group[group].push_back(rule);
      policy.sets.push_back(to.domain_sets[i]);
    }
  }

  uint32_t NewGroup(CompiledPolicy& policy) {
    policy.groups.push_back(program_->groups.Take());
    return policy.groups.back();
  }

  void Addresses() {
    if (before_ != nullptr && !ranges_changed_) {
      program_->addresses = before_->addresses;
      return;
    }
    const auto addresses = std::make_shared<AddressIndex>();
    for (const auto& policy : program_->policies)
      for (const auto& [range, group] : policy->ranges) addresses->Add(range, group);
    addresses->Freeze();
    program_->addresses = addresses;
  }

  void Guard() {
    const AddressGuardSpec& guard = changes_.guard;
    auto also_refuse = CompileCidrs(guard.also_refuse, "guard.also_refuse", errors_);
    program_->guard = AddressGuard(std::move(also_refuse), guard.own, guard.local, guard.mixed_answers);
  }

  const PolicyChanges& changes_;
  const Program* const before_;
  std::unique_ptr<Program> program_ = std::make_unique<Program>();
  PolicyErrors errors_;
  NameList names_;
  std::vector<bool> gone_;  // groups whose names leave the index; those that come are added after that
  bool ranges_changed_ = false;
  SetCompiler sets_{changes_, before_, *program_, names_, gone_, errors_};
};

}  // namespace

CompileResult Compile(const PolicySetSpec& spec) {
  PolicyChanges all;
  for (const PolicySpec& policy : spec.policies) all.policies.push_back({policy.name});
  for (const DomainSetSpec& set : spec.domain_sets) all.domain_sets.push_back({set.name});
  all.policy = [&](size_t i) { return spec.policies[i]; };
  all.domain_set = [&](size_t i) { return spec.domain_sets[i]; };
  all.guard = spec.guard;
  return Compile(all, nullptr);
}

CompileResult Compile(const PolicyChanges& changes, const Policy* before) {
  return Compiler(changes, before == nullptr ? nullptr : &before->program()).Run();
}

}  // namespace egret
