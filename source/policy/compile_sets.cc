#include "source/policy/compile_sets.h"

#include <algorithm>
#include <cstddef>
#include <set>
#include <unordered_set>
#include <utility>

#include "source/base/strings.h"
#include "source/policy/pattern.h"

namespace egret {
namespace {

std::string At(std::string_view list, size_t index) { return Cat(list, '[', index, ']'); }

}  // namespace

void CompileNames(const std::vector<std::string>& list, std::string_view path, uint32_t group, NameList& names,
                  PolicyErrors& errors) {
  for (size_t i = 0; i < list.size(); ++i) {
    const auto pattern = ParsePattern(list[i]);
    if (pattern)
      names.Add(*pattern, group);
    else
      errors.Add(At(path, i), list[i], pattern.error());
  }
}

void SetCompiler::Run() {
  const size_t count = changes_.domain_sets.size();
  as_before_ = before_ != nullptr && before_->sets->size() == count;
  std::vector<CompiledSet> sets;
  sets.reserve(count);
  by_name_.reserve(count);
  for (size_t i = 0; i < count; ++i) sets.push_back(SetOf(i));
  if (as_before_) {
    program_.sets = before_->sets;
    return;
  }
  DropOthers();
  CheckIncludes(sets);
  CheckCircles(sets);
  auto made = std::make_shared<CompiledSets>();
  for (const auto& [name, index] : by_name_) made->emplace(name, std::move(sets[index]));
  program_.sets = made;
  for (auto& [name, set] : *made) set.closure = Closure(set);
}

CompiledSet SetCompiler::SetOf(size_t index) {
  const auto& [name, same] = changes_.domain_sets[index];
  if (name.empty()) errors_.Add(Cat(At("domain_sets", index), ".name"), "", "no name", "give it one");
  const bool first = by_name_.try_emplace(name, index).second;
  if (!first)
    errors_.Add(Cat(At("domain_sets", index), ".name"), name, "a set of this name stands above", "rename one");
  const CompiledSet* const before = Before(std::string(name));
  as_before_ = as_before_ && first && before != nullptr;
  if (same && before != nullptr) return {before->group, before->includes, {}};
  CompiledSet set;
  set.group = before == nullptr ? program_.groups.Take() : before->group;
  if (before != nullptr) gone_[set.group] = true;
  DomainSetSpec spec = changes_.domain_set(index);
  CompileNames(spec.domains, Cat(At("domain_sets", index), ".domains"), set.group, names_, errors_);
  CompileNames(spec.file_domains, Cat(At("domain_sets", index), ".file"), set.group, names_, errors_);
  set.includes = std::move(spec.includes);
  as_before_ = as_before_ && before->includes == set.includes;
  ++program_.made.domain_sets;
  return set;
}

void SetCompiler::DropOthers() {
  if (before_ == nullptr) return;
  for (const auto& [name, set] : *before_->sets) {
    if (by_name_.contains(name)) continue;
    gone_[set.group] = true;
    program_.groups.Free(set.group);
  }
}

void SetCompiler::CheckIncludes(const std::vector<CompiledSet>& sets) {
  for (size_t i = 0; i < sets.size(); ++i)
    for (size_t k = 0; k < sets[i].includes.size(); ++k)
      if (!by_name_.contains(sets[i].includes[k]))
        errors_.Add(At(Cat(At("domain_sets", i), ".includes"), k), sets[i].includes[k], "no such domain set", Known());
}

// Depth first without recursion: an include that is still open is a circle.
void SetCompiler::CheckCircles(const std::vector<CompiledSet>& sets) {
  enum class State : uint8_t { kNew, kOpen, kDone };
  std::vector<State> states(sets.size(), State::kNew);
  for (size_t start = 0; start < states.size(); ++start) {
    if (states[start] != State::kNew) continue;
    std::vector<std::pair<size_t, size_t>> path = {{start, 0}};  // a set, and which include comes next
    states[start] = State::kOpen;
    while (!path.empty()) {
      auto& [set, next] = path.back();
      const auto& includes = sets[set].includes;
      if (next == includes.size()) {
        states[set] = State::kDone;
        path.pop_back();
        continue;
      }
      const size_t at = next++;
      const auto included = by_name_.find(includes[at]);
      if (included == by_name_.end()) continue;
      if (states[included->second] == State::kOpen)
        errors_.Add(At(Cat(At("domain_sets", set), ".includes"), at), includes[at], "includes itself",
                    "break the circle");
      if (states[included->second] != State::kNew) continue;
      states[included->second] = State::kOpen;
      path.emplace_back(included->second, 0);
    }
  }
}

std::vector<uint32_t> SetCompiler::Closure(const CompiledSet& set) const {
  std::vector<uint32_t> out = {set.group};
  if (set.includes.empty()) return out;
  std::unordered_set<uint32_t> seen = {set.group};
  std::vector<const CompiledSet*> open = {&set};
  while (!open.empty()) {
    const CompiledSet& next = *open.back();
    open.pop_back();
    for (const std::string& name : next.includes) {
      const auto at = program_.sets->find(name);
      if (at == program_.sets->end() || !seen.insert(at->second.group).second) continue;
      out.push_back(at->second.group);
      open.push_back(&at->second);
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

const CompiledSet* SetCompiler::Before(const std::string& name) const {
  if (before_ == nullptr) return nullptr;
  const auto at = before_->sets->find(name);
  return at == before_->sets->end() ? nullptr : &at->second;
}

bool SetCompiler::Moved(const std::string& name) const {
  if (as_before_) return false;
  const CompiledSet* const before = Before(name);
  const auto now = program_.sets->find(name);
  return before == nullptr || now == program_.sets->end() || now->second.closure != before->closure;
}

std::string SetCompiler::Known() {
  if (by_name_.empty()) return "there are none";
  if (!known_.empty()) return known_;
  std::set<std::string_view> names;
  for (const auto& [name, index] : by_name_) names.insert(name);
  known_ = "known are";
  size_t left = 10;
  for (const std::string_view name : names) {
    if (left-- == 0) {
      known_ += " ...";
      break;
    }
    Append(known_, ' ', name);
  }
  return known_;
}

}  // namespace egret
