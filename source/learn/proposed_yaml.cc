// The text of a proposal. Strings are quoted as JSON quotes them, which YAML takes as well.
#include <time.h>

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "source/base/json.h"
#include "source/base/strings.h"
#include "source/learn/proposal.h"

namespace egret {
namespace {

using Likeness = ProposedRule::Likeness;

std::string Quoted(std::string_view text) {
  std::string out;
  AppendJsonString(out, text);
  return out;
}

template <class List, class Show>
std::string ListOf(const List& list, const Show& show) {
  std::string out = "[";
  for (const auto& one : list) Append(out, out.size() > 1 ? ", " : "", show(one));
  return out + ']';
}
std::string QuotedList(const std::vector<std::string>& list) { return ListOf(list, Quoted); }

std::string Day(int64_t unix_seconds) {
  const auto seconds = static_cast<time_t>(unix_seconds);
  tm utc;
  gmtime_r(&seconds, &utc);
  char text[32];
  return {text, strftime(text, sizeof text, "%Y-%m-%d %H:%M", &utc)};
}

std::string Shown(const Times& times) {
  std::string out = Cat(times.count, times.count == 1 ? " time" : " times");
  if (times.first == 0) return out;
  const std::string first = Day(times.first), last = Day(times.last);
  Append(out, ", ", first);
  if (first != last) Append(out, " to ", last);
  return out;
}

std::string_view NameOf(Use::Carries carries) {
  switch (carries) {
    case Use::Carries::kTls:
      return "TLS";
    case Use::Carries::kHttp:
      return "HTTP";
    case Use::Carries::kOther:
      break;
  }
  return "OTHER";
}

// "pypi.org" -> "pypi-org": as rules are called, and no two alike.
std::string NameFor(const ProposedRule& rule, std::set<std::string>& taken) {
  constexpr size_t kMost = 50;
  std::string name;
  for (const char c : rule.hosts.front().pattern) {
    const bool plain = IsAsciiLetter(c) || IsAsciiDigit(c);
    if (plain)
      name += AsciiLower(c);
    else if (!name.empty() && name.back() != '-')
      name += '-';
  }
  name.resize(std::min(name.size(), kMost));
  std::string unique = name;
  for (size_t number = 2; !taken.insert(unique).second; ++number) unique = Cat(name, '-', number);
  return unique;
}

void AppendHosts(std::string& out, const ProposedRule& rule) {
  Append(out, rule.likeness.literal ? "      cidrs:\n" : "      domains:\n");
  size_t width = 0;
  for (const ProposedRule::Host& host : rule.hosts) width = std::max(width, Quoted(host.pattern).size());
  for (const ProposedRule::Host& host : rule.hosts) {
    const std::string pattern = Quoted(host.pattern);
    Append(out, "      - ", pattern, std::string(width - pattern.size(), ' '), "  # ", Shown(host.times));
    if (host.names > 1) Append(out, ", ", host.names, " names");
    if (host.of_one_identity) out += ", by this identity only";
    out += '\n';
  }
}

void AppendRule(std::string& out, const ProposedRule& rule, std::set<std::string>& taken) {
  const Likeness& like = rule.likeness;
  Append(out, "  - name: ", NameFor(rule, taken), '\n');
  if (like.identity.starts_with("spiffe://"))
    Append(out, "    from: {spiffe_ids: [", Quoted(like.identity), "]}\n");
  else if (!like.identity.empty())
    Append(out, "    from: {users: [", Quoted(like.identity), "]}\n");
  out += "    to:\n";
  AppendHosts(out, rule);
  Append(out, "      ports: ", ListOf(like.ports, [](uint16_t port) { return Cat(port); }), '\n');
  if (like.carries.contains(Use::Carries::kOther))  // else what rules take without a word
    Append(out, "      protocols: ", ListOf(like.carries, NameOf), '\n');
  if (!like.methods.empty()) {
    Append(out, "    http:\n      methods: ", QuotedList(like.methods), '\n');
    if (!like.prefixes.empty()) Append(out, "      path_prefixes: ", QuotedList(like.prefixes), '\n');
  }
  if (!like.private_addresses.empty()) Append(out, "    reaches_private: ", QuotedList(like.private_addresses), '\n');
  if (like.without_sni) out += "    without_sni: true\n";
  if (!like.ech_names.empty()) Append(out, "    ech_outer_names: ", QuotedList(like.ech_names), '\n');
  out += "    action: ALLOW\n";
}

}  // namespace

std::string ProposedYaml(const Traffic& traffic, const std::vector<ProposedRule>& rules, std::string_view policy_name,
                         std::string_view by) {
  std::string out = Cat("# Proposed by ", by, "; read it before it is used.\n# Reached: ", Shown(traffic.times()));
  if (traffic.refused() > 0) Append(out, "; refused and left out: ", traffic.refused());
  if (traffic.unreached() > 0) Append(out, "; allowed and not reached, left out: ", traffic.unreached());
  if (traffic.left_out() > 0) Append(out, "; too many destinations, left out: ", traffic.left_out());
  Append(out, "\npolicies:\n- name: ", Quoted(policy_name), '\n');
  if (rules.empty()) return out + "  rules: []  # nothing was reached; all is denied\n";
  out += "  rules:\n";
  std::set<std::string> taken;
  for (const ProposedRule& rule : rules) AppendRule(out, rule, taken);
  return out;
}

}  // namespace egret
