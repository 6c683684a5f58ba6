#include "source/policy/compile_rule.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>

#include "source/base/strings.h"
#include "source/policy/compile_hello.h"
#include "source/policy/path.h"

namespace egret {
namespace {

constexpr size_t kMaxName = 63;
constexpr size_t kMaxMessage = 500;
constexpr size_t kMaxRegex = 4096;                  // bytes of one expression
constexpr int kMaxProgram = 5000;                   // RE2 instructions of one
constexpr int64_t kRegexMemory = int64_t{1} << 20;  // of one, with the states that matching makes

using Path = const std::string&;

std::string At(Path path, size_t index) { return Cat(path, '[', index, ']'); }

bool IsToken(std::string_view text) {  // RFC 9110 5.6.2
  static constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return IsAsciiLetter(c) || IsAsciiDigit(c) || kOthers.find(c) != std::string_view::npos;
  });
}

bool HasControl(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
}

Words Sorted(Words words) {
  std::sort(words.begin(), words.end());
  words.erase(std::unique(words.begin(), words.end()), words.end());
  return words;
}

// The range that was meant: the bits beyond the prefix length cleared.
std::optional<Cidr> Cleared(std::string_view text) {
  const size_t slash = text.find('/');
  const auto base = IpAddress::Parse(text.substr(0, slash));
  if (!base || slash == std::string_view::npos) return std::nullopt;
  const auto bits = ParseDecimal<uint8_t>(text.substr(slash + 1));
  if (!bits || *bits > (base->v4() ? 32 : 128)) return std::nullopt;
  auto bytes = base->bytes();
  for (size_t bit = *bits + (base->v4() ? 96u : 0u); bit < 128; ++bit)
    bytes[bit / 8] = static_cast<uint8_t>(bytes[bit / 8] & ~(0x80u >> bit % 8));
  return Cidr{IpAddress::V6(bytes), *bits};
}

class RuleCompiler {
 public:
  RuleCompiler(const RuleSpec& spec, Path path, PolicyErrors& errors) : spec_(spec), path_(path), errors_(errors) {}

  CompiledRule Run() {
    Head();
    From();
    To();
    if (spec_.http) Http(*spec_.http);
    ReachesPrivate();
    CompileHello(spec_, path_, out_, errors_);
    return std::move(out_);
  }

 private:
  void Need(Group group) { out_.groups |= 1u << static_cast<unsigned>(group); }

  void Head() {
    using Action = RuleSpec::Action;
    using Inspection = RuleSpec::Inspection;
    out_.name = spec_.name;
    out_.message = spec_.message;
    out_.allows = spec_.action == Action::kAllow;
    out_.audit = spec_.mode == RuleSpec::Mode::kAudit;
    out_.inspection = spec_.inspection;
    const bool good = std::all_of(spec_.name.begin(), spec_.name.end(),
                                  [](char c) { return (c >= 'a' && c <= 'z') || IsAsciiDigit(c) || c == '-'; });
    if (spec_.name.empty() || spec_.name.size() > kMaxName || !good)
      Error("name", spec_.name, "a rule's name is 1 to 63 of a-z, 0-9 and '-'", "it stands in every log line");
    if (spec_.action == Action::kUnspecified) Error("action", "", "no action", "write ALLOW or DENY");
    if (spec_.action == Action::kDeny && spec_.inspection != Inspection::kAuto)
      Error("inspection", "", "a DENY cannot ask for inspection", "remove it, or put it on the ALLOW");
    if (spec_.inspection == Inspection::kNever && spec_.http)
      Error("inspection", "NEVER", "the rule's `http` can only be told from inside", "remove one of the two");
    if (spec_.message.size() > kMaxMessage)
      Error("message", spec_.message.substr(0, 40), "longer than 500 bytes", "shorten it");
    if (HasControl(spec_.message))
      Error("message", spec_.message, "control characters", "write plain text on one line");
    Window();
  }

  void Window() {
    if (!spec_.not_before && !spec_.not_after) return;
    Need(Group::kTime);
    if (spec_.not_before) out_.not_before = *spec_.not_before;
    if (spec_.not_after) out_.not_after = *spec_.not_after;
    if (out_.not_after < out_.not_before) Error("not_after", "", "before not_before", "the rule would never hold");
  }

  void From() {
    const FromSpec& from = spec_.from;
    if (!from.cidrs.empty()) {
      Need(Group::kSources);
      out_.sources = CidrSet(CompileCidrs(from.cidrs, Cat(path_, ".from.cidrs"), errors_));
    }
    List(from.users, "from.users", Group::kUsers, out_.users);
    List(from.groups, "from.groups", Group::kGroups, out_.identity_groups);
    List(from.namespaces, "from.namespaces", Group::kNamespaces, out_.namespaces);
    List(from.service_accounts, "from.service_accounts", Group::kServiceAccounts, out_.service_accounts);
    for (size_t i = 0; i < from.service_accounts.size(); ++i) ServiceAccount(from.service_accounts[i], i);
    if (!from.spiffe_ids.empty()) Need(Group::kSpiffeIds);
    for (size_t i = 0; i < from.spiffe_ids.size(); ++i) Spiffe(from.spiffe_ids[i], i);
    out_.spiffe_ids = Sorted(std::move(out_.spiffe_ids));
    if (!from.claims.empty()) Need(Group::kClaims);
    for (size_t i = 0; i < from.claims.size(); ++i) Claim(from.claims[i], i);
    if (from.at_least != Assurance::kAny) Need(Group::kAssurance);
    out_.at_least = from.at_least;
    List(from.ja3, "from.ja3", Group::kJa3, out_.ja3);
    List(from.ja4, "from.ja4", Group::kJa4, out_.ja4);
  }

  void ServiceAccount(std::string_view account, size_t index) {
    const size_t slash = account.find('/');
    if (slash == 0 || slash == std::string_view::npos || slash + 1 == account.size())
      Error(At("from.service_accounts", index), account, "not \"namespace/name\"", "write for example \"ci/builder\"");
  }

  void Spiffe(std::string_view id, size_t index) {
    const std::string at = At("from.spiffe_ids", index);
    const bool prefix = id.ends_with("/*");
    const std::string_view fixed = prefix ? id.substr(0, id.size() - 1) : id;
    if (!id.starts_with("spiffe://") || fixed.size() <= std::string_view("spiffe://").size())
      Error(at, id, "not a SPIFFE ID", "write for example \"spiffe://prod/ns/build/sa/ci\" or \"spiffe://prod/ns/*\"");
    else if (fixed.find('*') != std::string_view::npos)
      Error(at, id, "\"*\" stands only for whole segments at the end",
            "write for example \"spiffe://prod/ns/build/*\"");
    (prefix ? out_.spiffe_prefixes : out_.spiffe_ids).emplace_back(fixed);
  }

  void Claim(const ClaimSpec& claim, size_t index) {
    const std::string at = At("from.claims", index);
    if (claim.name.empty()) Error(Cat(at, ".name"), "", "no name", "write the claim's name");
    if (claim.values.empty()) Error(Cat(at, ".values"), "", "no values", "write those of which one must be there");
    out_.claims.push_back({claim.name, Sorted(claim.values)});
  }

  void To() {
    const ToSpec& to = spec_.to;
    for (size_t i = 0; i < to.ports.size(); ++i) Ports(to.ports[i], to.ports[i], At("to.ports", i));
    for (size_t i = 0; i < to.port_ranges.size(); ++i)
      Ports(to.port_ranges[i].first, to.port_ranges[i].last, At("to.port_ranges", i));
    for (const Protocol protocol : to.protocols) AddProtocol(protocol);
    if (out_.allows) {  // what is left out narrows an ALLOW
      if (out_.ports.empty()) out_.ports = {{80, 80}, {443, 443}};
      if (out_.protocols == 0) {
        AddProtocol(Protocol::kTls);
        AddProtocol(Protocol::kHttp);
      }
    }
    if (!out_.ports.empty()) Need(Group::kPort);
    if (out_.protocols != 0) Need(Group::kProtocol);
    if (!to.resolved_cidrs.empty()) {
      Need(Group::kResolved);
      out_.resolved = CidrSet(CompileCidrs(to.resolved_cidrs, Cat(path_, ".to.resolved_cidrs"), errors_));
      if (out_.allows && to.domains.empty() && to.domain_sets.empty())
        Error("to.resolved_cidrs", "", "an ALLOW by address alone lets any name point there",
              "add to.domains, or allow literals by to.cidrs");
    }
  }

  void AddProtocol(Protocol protocol) {
    out_.protocols = static_cast<uint8_t>(out_.protocols | 1u << static_cast<unsigned>(protocol));
  }

  void Ports(uint32_t first, uint32_t last, const std::string& at) {
    const auto text = first == last ? Cat(first) : Cat(first, '-', last);
    if (first == 0 || last > 65535 || first > last)
      Error(at, text, "ports are 1 to 65535, the first not above the last", "correct it");
    else
      out_.ports.emplace_back(static_cast<uint16_t>(first), static_cast<uint16_t>(last));
  }

  void Http(const HttpSpec& http) {
    if (http.methods.empty() && http.paths.empty() && http.path_prefixes.empty() && http.path_regexes.empty() &&
        http.headers.empty())
      Error("http", "", "no condition", "remove it, or write methods, paths or headers");
    List(http.methods, "http.methods", Group::kMethod, out_.methods);
    for (size_t i = 0; i < http.methods.size(); ++i) Method(http.methods[i], i);
    Paths(http);
    if (!http.headers.empty()) Need(Group::kHeaders);
    for (size_t i = 0; i < http.headers.size(); ++i) Header(http.headers[i], i);
  }

  void Method(std::string_view method, size_t index) {
    const bool lower = std::any_of(method.begin(), method.end(), [](char c) { return c >= 'a' && c <= 'z'; });
    if (!IsToken(method)) Error(At("http.methods", index), method, "not a method", "write for example GET");
    if (lower) Error(At("http.methods", index), method, "methods are upper case, and case matters", "write it so");
  }

  void Header(const HeaderSpec& header, size_t index) {
    const std::string at = At("http.headers", index);
    if (!IsToken(header.name)) Error(Cat(at, ".name"), header.name, "not a field name", "write for example accept");
    for (size_t i = 0; i < header.values.size(); ++i)
      if (HasControl(header.values[i]) || TrimOws(header.values[i]) != header.values[i])
        Error(At(Cat(at, ".values"), i), header.values[i], "control characters or white space around",
              "no field would have this value");
    out_.headers.push_back({ToLower(header.name), Sorted(header.values)});
  }

  void Paths(const HttpSpec& http) {
    if (!http.paths.empty() || !http.path_prefixes.empty() || !http.path_regexes.empty()) Need(Group::kPath);
    for (size_t i = 0; i < http.paths.size(); ++i) CheckPath(http.paths[i], At("http.paths", i));
    for (size_t i = 0; i < http.path_prefixes.size(); ++i) {
      const std::string& prefix = http.path_prefixes[i];
      CheckPath(prefix, At("http.path_prefixes", i));
      if (prefix.ends_with("/*"))
        Error(At("http.path_prefixes", i), prefix, "a prefix covers what is below it by itself",
              Cat("write \"", prefix.substr(0, prefix.size() - 2), "\""));
    }
    out_.path.exact = Sorted(http.paths);
    out_.path.prefixes = Sorted(http.path_prefixes);
    Regexes(http.path_regexes);
  }

  void CheckPath(std::string_view path, const std::string& at) {
    if (path.find_first_of("?#") != std::string_view::npos)
      Error(at, path, "paths are matched without the query", "write what stands before '?'");
    else if (!path.starts_with('/') && path != "*")
      Error(at, path, "a path begins with '/'", Cat("write \"/", path, "\""));
    else if (out_.allows && IsAmbiguous(path))
      Error(at, path, "origins may read this path otherwise, so no ALLOW matches it",
            "write it without dot segments, empty segments and escapes of '/' or '%'");
  }

  // Bytes, not characters, and '.' is any byte: otherwise what is not UTF-8, or a line feed, would get round a DENY.
  static RE2::Options Options(size_t count) {
    RE2::Options options;
    options.set_encoding(RE2::Options::EncodingLatin1);
    options.set_dot_nl(true);
    options.set_never_capture(true);
    options.set_log_errors(false);
    options.set_max_mem(kRegexMemory * static_cast<int64_t>(count));
    return options;
  }

  void Regexes(const std::vector<std::string>& list) {
    std::string all;
    bool good = !list.empty();
    for (size_t i = 0; i < list.size(); ++i) {
      good &= CheckRegex(list[i], At("http.path_regexes", i));
      Append(all, i == 0 ? "(?:" : "|(?:", list[i], ')');
    }
    if (!good) return;
    auto regex = std::make_unique<RE2>(all, Options(list.size()));
    if (!regex->ok()) Error("http.path_regexes", "", "too large together", "split the rule, or use path_prefixes");
    out_.path.regex = std::move(regex);
  }

  bool CheckRegex(const std::string& text, const std::string& at) {
    if (text.size() > kMaxRegex) {
      Error(at, text.substr(0, 40), "longer than 4096 bytes", "shorten it, or use path_prefixes");
      return false;
    }
    const RE2 regex(text, Options(1));
    if (!regex.ok()) {
      Error(at, text, regex.error(), "the syntax is RE2's; no look-around, no back-references");
    } else if (regex.ProgramSize() > kMaxProgram) {
      Error(at, text.substr(0, 40), Cat(regex.ProgramSize(), " instructions, of at most ", kMaxProgram), "repeat less");
    } else {
      return true;
    }
    return false;
  }

  void ReachesPrivate() {
    if (spec_.reaches_private.empty()) return;
    const ToSpec& to = spec_.to;
    if (spec_.action == RuleSpec::Action::kDeny)
      Error("reaches_private", "", "only an ALLOW can open a range", "remove it");
    else if (to.domains.empty() && to.domain_sets.empty() && to.cidrs.empty())
      Error("reaches_private", "", "would open the range to every name", "add to.domains or to.cidrs");
    const auto ranges = CompileCidrs(spec_.reaches_private, Cat(path_, ".reaches_private"), errors_);
    for (const Cidr& range : ranges)
      if (const Finding finding = AddressGuard().Judge(range.base, 0);
          finding && !finding.exemptible && finding.range.bits <= range.bits)
        Error("reaches_private", range.ToString(), Cat(finding.reason, " addresses stay refused"), "remove it");
    out_.reaches_private = CidrSet(ranges);
  }

  // A list of plain text.
  void List(const Words& list, std::string_view field, Group group, Words& into) {
    if (list.empty()) return;
    Need(group);
    for (size_t i = 0; i < list.size(); ++i)
      if (list[i].empty()) Error(At(std::string(field), i), "", "empty", "remove it");
    into = Sorted(list);
  }

  template <class Field>
  void Error(const Field& field, std::string_view value, std::string_view why, std::string_view remedy) {
    errors_.Add(Cat(path_, '.', field), value, why, remedy);
  }

  const RuleSpec& spec_;
  Path path_;
  PolicyErrors& errors_;
  CompiledRule out_;
};

}  // namespace

std::optional<Cidr> CompileCidr(std::string_view text, const std::string& path, PolicyErrors& errors) {
  if (auto range = Cidr::Parse(text)) return range;
  if (const auto meant = Cleared(text))
    errors.Add(path, text, "bits are set beyond the prefix length", Cat("write \"", meant->ToString(), "\""));
  else
    errors.Add(path, text, "not an address range", "write for example \"10.0.0.0/8\" or \"2001:db8::/32\"");
  return std::nullopt;
}

std::vector<Cidr> CompileCidrs(const std::vector<std::string>& list, const std::string& path, PolicyErrors& errors) {
  std::vector<Cidr> out;
  for (size_t i = 0; i < list.size(); ++i)
    if (const auto range = CompileCidr(list[i], At(path, i), errors)) out.push_back(*range);
  return out;
}

CompiledRule CompileRule(const RuleSpec& spec, const std::string& path, PolicyErrors& errors) {
  return RuleCompiler(spec, path, errors).Run();
}

}  // namespace egret
