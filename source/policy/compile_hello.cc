#include "source/policy/compile_hello.h"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

#include "source/base/strings.h"
#include "source/policy/pattern.h"

namespace egret {
namespace {

bool IsLowerHex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return IsAsciiDigit(c) || (c >= 'a' && c <= 'f'); });
}

bool IsJa3(std::string_view text) { return text.size() == 32 && IsLowerHex(text); }

// "t13d1516h2_8daaf6152771_e5627efa2ab1": version, whether a name is shown, two counts, ALPN, two hashes.
bool IsJa4(std::string_view text) {
  static constexpr std::string_view kVersions[] = {"13", "12", "11", "10", "s3", "00"};
  if (text.size() != 36 || text[0] != 't' || text[10] != '_' || text[23] != '_') return false;
  const std::string_view counts = text.substr(4, 4), alpn = text.substr(8, 2);
  return std::find(std::begin(kVersions), std::end(kVersions), text.substr(1, 2)) != std::end(kVersions) &&
         (text[3] == 'd' || text[3] == 'i') && std::all_of(counts.begin(), counts.end(), IsAsciiDigit) &&
         std::all_of(alpn.begin(), alpn.end(), [](char c) { return IsAsciiDigit(c) || IsAsciiLetter(c); }) &&
         IsLowerHex(text.substr(11, 12)) && IsLowerHex(text.substr(24));
}

bool TakesTls(const RuleSpec& spec) {
  const auto& protocols = spec.to.protocols;
  return protocols.empty() || std::find(protocols.begin(), protocols.end(), Protocol::kTls) != protocols.end();
}

template <class Form>
void CheckForm(const std::vector<std::string>& list, const std::string& at, Form is_one, std::string_view why,
               std::string_view remedy, PolicyErrors& errors) {
  for (size_t i = 0; i < list.size(); ++i)  // an empty one is told of already
    if (!list[i].empty() && !is_one(list[i])) errors.Add(Cat(at, '[', i, ']'), list[i], why, remedy);
}

// Only for names that the rule gives, and only where it allows.
void CheckExemption(const RuleSpec& spec, const std::string& at, PolicyErrors& errors) {
  if (spec.action == RuleSpec::Action::kDeny)
    errors.Add(at, "", "only an ALLOW can lift the name guard", "remove it");
  else if (spec.to.domains.empty() && spec.to.domain_sets.empty())
    errors.Add(at, "", "would lift the name guard for every name", "add to.domains");
  else if (!TakesTls(spec))
    errors.Add(at, "", "only TLS has a ClientHello, and to.protocols has no TLS", "add TLS there");
}

}  // namespace

void CompileHello(const RuleSpec& spec, const std::string& path, CompiledRule& out, PolicyErrors& errors) {
  const FromSpec& from = spec.from;
  CheckForm(from.ja3, Cat(path, ".from.ja3"), IsJa3, "not a JA3 fingerprint",
            "write its 32 hex digits in lower case, e.g. ada70206e40642a3e4461f35503241d5", errors);
  CheckForm(from.ja4, Cat(path, ".from.ja4"), IsJa4, "not a JA4 fingerprint of TLS over TCP",
            "write for example t13d1516h2_8daaf6152771_e5627efa2ab1", errors);
  if (!TakesTls(spec) && !(from.ja3.empty() && from.ja4.empty()))
    errors.Add(Cat(path, from.ja4.empty() ? ".from.ja3" : ".from.ja4"), "",
               "only TLS has a fingerprint, and to.protocols has no TLS", "add TLS there");
  out.without_sni = spec.without_sni;
  if (spec.without_sni) CheckExemption(spec, Cat(path, ".without_sni"), errors);
  const std::string outer = Cat(path, ".ech_outer_names");
  if (!spec.ech_outer_names.empty()) CheckExemption(spec, outer, errors);
  for (size_t i = 0; i < spec.ech_outer_names.size(); ++i) {
    auto pattern = ParsePattern(spec.ech_outer_names[i]);
    if (!pattern) {
      errors.Add(Cat(outer, '[', i, ']'), spec.ech_outer_names[i], "not a name or pattern", pattern.error());
    } else {
      out.ech_outer_names.push_back(std::move(*pattern));
    }
  }
}

}  // namespace egret
