#include "source/policy/match.h"

#include <algorithm>
#include <cstddef>

#include "source/base/strings.h"
#include "source/policy/path.h"

namespace egret {
namespace {

Match Is(bool holds) { return holds ? Match::kTrue : Match::kFalse; }

template <class T>
Match UnlessKnown(const Fact<T>& fact) {
  return fact.unknown() ? Match::kUnknown : Match::kFalse;
}

bool Holds(const Words& words, std::string_view word) {
  return std::binary_search(words.begin(), words.end(), word, std::less<>());
}

Match JudgeWord(const Words& words, const Fact<std::string_view>& word) {
  return word.known() ? Is(Holds(words, word.value())) : UnlessKnown(word);
}

bool HoldsAny(const Words& words, const std::vector<std::string>& of) {
  return std::any_of(of.begin(), of.end(), [&](const std::string& word) { return Holds(words, word); });
}

// A whole-segment prefix covers what stands below it.
bool SpiffeMatches(const CompiledRule& rule, std::string_view id) {
  if (id.empty()) return false;
  if (Holds(rule.spiffe_ids, id)) return true;
  return std::any_of(rule.spiffe_prefixes.begin(), rule.spiffe_prefixes.end(),
                     [&](const std::string& prefix) { return id.size() > prefix.size() && id.starts_with(prefix); });
}

bool ClaimsMatch(const CompiledRule& rule, const Identity& identity) {
  return std::all_of(rule.claims.begin(), rule.claims.end(), [&](const ClaimRule& wanted) {
    return std::any_of(identity.claims.begin(), identity.claims.end(), [&](const Identity::Claim& claim) {
      return claim.name == wanted.name && HoldsAny(wanted.values, claim.values);
    });
  });
}

Match JudgeIdentity(const CompiledRule& rule, Group group, const FactView& view) {
  if (!view->identity.known()) return UnlessKnown(view->identity);
  const Identity& identity = *view->identity.value();
  switch (group) {
    case Group::kAssurance:
      return Is(identity.assurance >= rule.at_least);
    case Group::kUsers:
      return Is(Holds(rule.users, identity.user));
    case Group::kGroups:
      return Is(HoldsAny(rule.identity_groups, identity.groups));
    case Group::kSpiffeIds:
      return Is(SpiffeMatches(rule, identity.spiffe_id));
    case Group::kNamespaces:
      return Is(Holds(rule.namespaces, identity.namespace_));
    case Group::kServiceAccounts:
      return Is(Holds(rule.service_accounts, identity.service_account));
    default:
      return Is(ClaimsMatch(rule, identity));
  }
}

bool PortMatches(const CompiledRule& rule, uint16_t port) {
  return std::any_of(rule.ports.begin(), rule.ports.end(),
                     [&](const auto& range) { return range.first <= port && port <= range.second; });
}

// Of several addresses an ALLOW needs all, a DENY any.
Match JudgeResolved(const CompiledRule& rule, const FactView& view) {
  if (!view->resolved.known()) return UnlessKnown(view->resolved);
  const auto inside = [&](const IpAddress& address) { return rule.resolved.Contains(address); };
  const auto& all = view->resolved.value();
  return Is(rule.allows ? std::all_of(all.begin(), all.end(), inside) : std::any_of(all.begin(), all.end(), inside));
}

// A field's value is one value, and may also be a list of them (RFC 9110 5.6.1).
bool ValueMatches(const HeaderRule& rule, std::string_view value, bool all) {
  if (rule.values.empty() || Holds(rule.values, value)) return true;
  if (value.find(',') == std::string_view::npos) return false;
  for (std::string_view rest = value; !rest.empty();) {
    const std::string_view member = TrimOws(SplitFirst(rest, ','));
    if (Holds(rule.values, member) != all) return !all;
  }
  return all;
}

bool HeaderMatches(const HeaderRule& rule, std::span<const Field> fields, bool all) {
  bool seen = false;
  for (const Field& field : fields) {
    if (!EqualsIgnoreCase(field.name, rule.name)) continue;
    seen = true;
    if (ValueMatches(rule, field.value, all) != all) return !all;
  }
  return seen && all;
}

Match JudgeHeaders(const CompiledRule& rule, const FactView& view) {
  if (!view->headers.known()) return UnlessKnown(view->headers);
  return Is(std::all_of(rule.headers.begin(), rule.headers.end(), [&](const HeaderRule& header) {
    return HeaderMatches(header, view->headers.value(), rule.allows);
  }));
}

// "/a/b" is below "/a" and below "/a/", and is "/a/b" itself.
bool HasPrefix(const Words& prefixes, std::string_view path) {
  if (prefixes.empty()) return false;
  for (size_t slash = path.find('/'); slash != std::string_view::npos; slash = path.find('/', slash + 1))
    if (Holds(prefixes, path.substr(0, slash)) || Holds(prefixes, path.substr(0, slash + 1))) return true;
  return Holds(prefixes, path);
}

bool ListsMatch(const PathRule& rule, std::string_view path) {
  return Holds(rule.exact, path) || HasPrefix(rule.prefixes, path);
}

bool RegexMatches(const PathRule& rule, std::string_view path) {
  return rule.regex && RE2::FullMatch(re2::StringPiece(path.data(), path.size()), *rule.regex);
}

Match JudgePath(const CompiledRule& rule, const FactView& view) {
  if (!view->path.known()) return UnlessKnown(view->path);
  const std::string_view path = view->path.value();
  if (rule.allows) {
    if (view.AmbiguousPath()) return Match::kFalse;
    if (ListsMatch(rule.path, path)) return Match::kTrue;
    if (!RegexMatches(rule.path, path)) return Match::kFalse;
    // An expression such as "[^.]*" must not be got round by writing %2E.
    return Is(path.find('%') == std::string_view::npos || RegexMatches(rule.path, WithoutNeedlessEscapes(path)));
  }
  const auto matches = [&](std::string_view text) {
    return ListsMatch(rule.path, text) || RegexMatches(rule.path, text);
  };
  const auto& others = view.OtherPaths();
  return Is(matches(path) || std::any_of(others.begin(), others.end(), matches));
}

template <class T>
void AbsentIfUnknown(Fact<T>& fact) {
  if (fact.unknown()) fact = Fact<T>::Absent();
}

}  // namespace

FactView::FactView(const Facts& facts, const Target& target) : facts_(facts) {
  facts_.target = &target;
  SetResolved(facts.resolved);
  if (!facts_.protocol.known()) return;
  if (facts_.protocol.value() != Protocol::kTls) {
    AbsentIfUnknown(facts_.ja3);
    AbsentIfUnknown(facts_.ja4);
  }
  if (facts_.protocol.value() == Protocol::kOther) {
    AbsentIfUnknown(facts_.method);
    AbsentIfUnknown(facts_.path);
    AbsentIfUnknown(facts_.headers);
  }
}

void FactView::SetResolved(const Fact<std::span<const IpAddress>>& resolved) {
  facts_.resolved = resolved;
  const auto& literal = facts_.target->literal;
  if (literal) facts_.resolved = std::span<const IpAddress>(&*literal, 1);
  if (facts_.resolved.known() && facts_.resolved.value().empty())
    facts_.resolved = Fact<std::span<const IpAddress>>::Absent();
}

bool FactView::AmbiguousPath() const {
  if (!ambiguous_) ambiguous_ = IsAmbiguous(facts_.path.value());
  return *ambiguous_;
}

const std::vector<std::string>& FactView::OtherPaths() const {
  if (!other_paths_) other_paths_ = OtherReadings(facts_.path.value());
  return *other_paths_;
}

Match JudgeGroup(const CompiledRule& rule, Group group, const FactView& view, bool host_matches) {
  switch (group) {
    case Group::kTime:
      return Is(rule.not_before <= view->now && view->now <= rule.not_after);
    case Group::kHost:
      return Is(host_matches);
    case Group::kPort:
      return Is(PortMatches(rule, view.target().port));
    case Group::kProtocol:
      if (!view->protocol.known()) return UnlessKnown(view->protocol);
      return Is((rule.protocols >> static_cast<unsigned>(view->protocol.value()) & 1u) != 0);
    case Group::kSources:
      return Is(rule.sources.Contains(view->source));
    case Group::kJa3:
      return JudgeWord(rule.ja3, view->ja3);
    case Group::kJa4:
      return JudgeWord(rule.ja4, view->ja4);
    case Group::kMethod:
      return JudgeWord(rule.methods, view->method);
    case Group::kResolved:
      return JudgeResolved(rule, view);
    case Group::kHeaders:
      return JudgeHeaders(rule, view);
    case Group::kPath:
      return JudgePath(rule, view);
    default:
      return JudgeIdentity(rule, group, view);
  }
}

std::string_view NameOf(Group group) {
  constexpr std::string_view kNames[] = {
      "time",
      "host",
      "port",
      "protocol",
      "from.cidrs",
      "from.at_least",
      "from.users",
      "from.groups",
      "from.spiffe_ids",
      "from.namespaces",
      "from.service_accounts",
      "from.claims",
      "from.ja3",
      "from.ja4",
      "http.methods",
      "resolved_cidrs",
      "http.headers",
      "http.paths",
  };
  static_assert(std::size(kNames) == static_cast<size_t>(Group::kCount));
  return kNames[static_cast<size_t>(group)];
}

}  // namespace egret
