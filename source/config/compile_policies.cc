#include "source/config/compile_policies.h"

#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

#include "source/base/strings.h"
#include "source/config/file.h"
#include "source/config/judged.h"
#include "source/config/policy_spec.h"
#include "source/policy/compile.h"

namespace egret {
namespace {

using config::v1::Bootstrap;
using config::v1::DomainSet;

using Lines = std::map<size_t, std::vector<int>>;  // of the files that were read, by domain set

// "domain_sets[3].file[7]" -> 3 and 7: the eighth name of the file of the fourth set.
struct FileEntry {
  size_t set = 0;
  size_t entry = 0;
};
std::optional<FileEntry> FileEntryOf(std::string_view path) {
  constexpr std::string_view kBefore = "domain_sets[";
  constexpr std::string_view kBetween = "].file[";
  const size_t between = path.find(kBetween);
  if (!path.starts_with(kBefore) || between == path.npos || !path.ends_with(']')) return std::nullopt;
  const auto set = ParseDecimal<size_t>(path.substr(kBefore.size(), between - kBefore.size()));
  path.remove_prefix(between + kBetween.size());
  const auto entry = ParseDecimal<size_t>(path.substr(0, path.size() - 1));
  if (!set || !entry) return std::nullopt;
  return FileEntry{*set, *entry};
}

ConfigError ToConfigError(const PolicyError& error, const Bootstrap& bootstrap, const Lines& files) {
  constexpr std::string_view kGuard = "guard.";
  ConfigError out{.field = error.path,
                  .value = error.value.empty() ? "" : ShownValue(error.value),
                  .why = error.why,
                  .remedy = error.remedy};
  if (error.path.starts_with(kGuard)) out.field = Cat("address_guard.", error.path.substr(kGuard.size()));
  const auto entry = FileEntryOf(error.path);
  const auto read = entry ? files.find(entry->set) : files.end();
  if (read == files.end()) return out;
  const std::vector<int>& lines = read->second;
  out.field = Cat("domain_sets[", entry->set, "].file");
  out.file = bootstrap.domain_sets(static_cast<int>(entry->set)).file().path();
  out.line = entry->entry < lines.size() ? lines[entry->entry] : 0;
  out.col = 1;
  return out;
}

// Read again, a file gives other messages that say the same.
template <class List>
bool SayTheSame(const List& a, const List& b) {
  if (a.size() != b.size()) return false;
  for (int i = 0; i < a.size(); ++i)
    if (&a[i] != &b[i] && a[i].SerializeAsString() != b[i].SerializeAsString()) return false;
  return true;
}

bool SayTheSame(const CompiledPolicies& a, const CompiledPolicies& b) {
  return a.own == b.own && a.stamps == b.stamps && SayTheSame(a.bootstrap->policies(), b.bootstrap->policies()) &&
         SayTheSame(a.bootstrap->domain_sets(), b.bootstrap->domain_sets()) &&
         a.bootstrap->address_guard().SerializeAsString() == b.bootstrap->address_guard().SerializeAsString();
}

class SourceCompiler {
 public:
  SourceCompiler(CompiledPolicies next, const CompiledPolicies* before) : next_(std::move(next)), before_(before) {
    for (const DomainSet& set : next_.bootstrap->domain_sets())
      if (set.has_file()) next_.stamps[set.name()] = StampOf({set.file().path()});
  }

  CompiledResult Run() {
    if (before_ != nullptr && SayTheSame(*before_, next_)) {
      next_.policy = before_->policy;
      return std::move(next_);
    }
    auto compiled = Compile(Changes(), before_ == nullptr ? nullptr : before_->policy.get());
    if (!compiled.ok())
      for (const PolicyError& error : compiled.error())
        errors_.push_back(ToConfigError(error, *next_.bootstrap, lines_));
    if (!errors_.empty()) return std::move(errors_);
    next_.policy = std::move(*compiled);
    return std::move(next_);
  }

 private:
  PolicyChanges Changes() {
    const Bootstrap& bootstrap = *next_.bootstrap;
    const Judged known = before_ == nullptr ? Judged() : Judged(*before_->bootstrap);
    PolicyChanges changes;
    for (const auto& policy : bootstrap.policies()) changes.policies.push_back({policy.name(), known.Has(policy)});
    for (const DomainSet& set : bootstrap.domain_sets())
      changes.domain_sets.push_back({set.name(), known.Has(set) && HasSameFile(set)});
    changes.policy = [this](size_t i) {
      return ToPolicySpec(next_.bootstrap->policies(static_cast<int>(i)), Below("policies", i), errors_);
    };
    changes.domain_set = [this](size_t i) {
      ReadDomainSet set =
          ToDomainSetSpec(next_.bootstrap->domain_sets(static_cast<int>(i)), Below("domain_sets", i), errors_);
      if (!set.lines.empty()) lines_[i] = std::move(set.lines);
      return std::move(set.spec);
    };
    changes.guard = ToGuardSpec(bootstrap, next_.own);
    return changes;
  }

  bool HasSameFile(const DomainSet& set) const {
    if (!set.has_file()) return true;
    const auto then = before_->stamps.find(set.name());
    return then != before_->stamps.end() && then->second == next_.stamps.at(set.name());
  }

  CompiledPolicies next_;
  const CompiledPolicies* const before_;
  std::vector<ConfigError> errors_;
  Lines lines_;
};

}  // namespace

CompiledResult CompilePolicies(std::shared_ptr<const Bootstrap> bootstrap, std::vector<Endpoint> own,
                               const CompiledPolicies* before) {
  return SourceCompiler({std::move(bootstrap), std::move(own), {}, nullptr}, before).Run();
}

Result<std::shared_ptr<const Policy>, std::vector<ConfigError>> CompilePolicies(const Bootstrap& bootstrap,
                                                                                std::vector<Endpoint> own) {
  // It is there for as long as this takes.
  auto compiled =
      CompilePolicies(std::shared_ptr<const Bootstrap>(std::shared_ptr<void>(), &bootstrap), std::move(own), nullptr);
  if (!compiled) return std::move(compiled.error());
  return std::move(compiled->policy);
}

}  // namespace egret
