#include "source/ctl/question.h"

#include <time.h>

#include <algorithm>
#include <utility>

#include "source/base/failure.h"
#include "source/base/strings.h"
#include "source/http/field_value.h"
#include "source/http/target.h"

namespace egret {
namespace {

constexpr uint16_t kHttpPort = 80;
constexpr uint16_t kHttpsPort = 443;
constexpr std::string_view kNameForm =
    "write a name in ASCII (xn--... for others) or an address, IPv6 in brackets, and a port from 1 to 65535";

std::optional<Problem> CheckMethod(std::string_view method) {
  const bool lower = std::any_of(method.begin(), method.end(), [](char c) { return c >= 'a' && c <= 'z'; });
  if (!IsToken(method) || lower) return Problem{Cat(method, ": not a method; write GET, POST or CONNECT, in capitals")};
  if (method == "TRACE") return Problem{"TRACE: egret refuses it before any policy is asked; ask for another method"};
  return std::nullopt;
}

// Rules see a path as it is forwarded, without its query.
std::string PathOf(std::string_view target) {
  const std::string_view path = target.substr(0, target.find('?'));
  return path.empty() ? "/" : std::string(path);
}

Result<Asked, Problem> AskForTunnel(std::string_view target) {
  if (target.find("://") != std::string_view::npos || target.find('/') != std::string_view::npos)
    return Problem{Cat(target, ": CONNECT takes no URL; write CONNECT pypi.org:443, or GET and the URL")};
  Result<Target, Fault> parsed = ParseAuthority(target, std::nullopt);
  if (!parsed && ParseAuthority(target, kHttpsPort))
    return Problem{Cat(target, ": no port; write ", target, ":", kHttpsPort)};
  if (!parsed) return Problem{Cat(target, ": not a host and port; ", kNameForm)};
  Asked asked;
  asked.target = *std::move(parsed);
  return asked;
}

}  // namespace

Result<Asked, Problem> AskFor(std::string_view method, std::string_view url) {
  if (auto problem = CheckMethod(method)) return *std::move(problem);
  if (method == "CONNECT") return AskForTunnel(url);
  if (url.find("://") == std::string_view::npos)
    return Problem{Cat(url, ": not a URL; write http://", url.substr(url.starts_with('/') ? 1 : 0))};
  const std::string_view sent = url.substr(0, url.find('#'));  // a fragment is never sent
  const Result<RequestTarget, Fault> parts = ParseTarget(method, sent);
  if (!parts) return Problem{Cat(url, ": not a URL that can be asked for; write it without user, spaces and '\\'")};
  const bool tunnel = parts->scheme == "https";
  if (!tunnel && parts->scheme != "http")
    return Problem{Cat(url, ": egret serves http and https; for ", parts->scheme, " ask CONNECT HOST:PORT")};
  Result<Target, Fault> target = ParseAuthority(parts->authority, tunnel ? kHttpsPort : kHttpPort);
  if (!target) return Problem{Cat(parts->authority, ": not a host and port; ", kNameForm)};
  Asked asked;
  asked.ask = tunnel ? Ask::kTunnel : Ask::kRequest;
  asked.target = *std::move(target);
  asked.protocol = tunnel ? Protocol::kTls : Protocol::kHttp;
  asked.method = method;
  asked.path = PathOf(parts->path);
  return asked;
}

std::optional<Problem> AskInside(std::string_view request, Asked& asked) {
  if (asked.ask != Ask::kTunnel || asked.method)
    return Problem{Cat(request, ": there is a request already; --inner goes with CONNECT HOST:PORT")};
  std::string_view path = request;
  const std::string_view method = SplitFirst(path, ' ');
  if (auto problem = CheckMethod(method)) return problem;
  const Result<RequestTarget, Fault> parts = ParseTarget(method, path);
  if (method == "CONNECT" || !parts || parts->form == TargetForm::kAbsolute)
    return Problem{Cat(request, ": not a method and a path; write --inner 'POST /simple/'")};
  asked.method = method;
  asked.path = PathOf(path);
  return std::nullopt;
}

std::optional<HeaderLine> ParseHeaderLine(std::string_view line) {
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos || !IsToken(line.substr(0, colon))) return std::nullopt;
  const std::string_view value = TrimOws(line.substr(colon + 1));
  if (!IsFieldValue(value)) return std::nullopt;
  return HeaderLine{std::string(line.substr(0, colon)), std::string(value)};
}

std::optional<Protocol> ParseProtocol(std::string_view text) {
  constexpr std::pair<std::string_view, Protocol> kNames[] = {
      {"TLS", Protocol::kTls}, {"HTTP", Protocol::kHttp}, {"OTHER", Protocol::kOther}};
  for (const auto& [name, protocol] : kNames)
    if (EqualsIgnoreCase(text, name)) return protocol;
  return std::nullopt;
}

void Assume(Asked& asked) {
  if (!asked.source) {
    asked.source = IpAddress::V4(0x7f000001);
    asked.assumed.emplace_back("from 127.0.0.1 (--from)");
  }
  if (!asked.protocol) {
    const bool clear = asked.target.port == kHttpPort && !asked.sni;
    asked.protocol = clear ? Protocol::kHttp : Protocol::kTls;
    if (!asked.sni) asked.assumed.emplace_back(Cat(clear ? "HTTP" : "TLS", " inside (--protocol)"));
  }
  if (asked.logged && asked.identity && asked.identity->groups.empty())
    asked.assumed.emplace_back(Cat(asked.identity->Name(), " is in no group (--group)"));
  if (!asked.now) asked.now = time(nullptr);
  if (std::none_of(asked.headers.begin(), asked.headers.end(),
                   [](const HeaderLine& header) { return EqualsIgnoreCase(header.name, "host"); }))
    asked.headers.push_back(
        {"Host", asked.target.Authority(asked.protocol == Protocol::kTls ? kHttpsPort : kHttpPort)});
}

Question AsQuestion(const Asked& asked, std::vector<Field>& fields) {
  Question question;
  question.ask = asked.ask;
  Facts& facts = question.facts;
  facts.source = asked.source.value_or(IpAddress());
  if (asked.identity) facts.identity = &*asked.identity;
  if (!asked.identity && asked.nobody) facts.identity = Fact<const Identity*>::Absent();
  facts.target = &asked.target;
  if (!asked.resolved.empty())
    (asked.target.literal ? question.sni_resolved : facts.resolved) = std::span<const IpAddress>(asked.resolved);
  if (asked.protocol) facts.protocol = *asked.protocol;
  if (asked.sni) facts.sni = asked.sni->empty() ? Fact<std::string_view>::Absent() : Fact<std::string_view>(*asked.sni);
  if (asked.ja3) facts.ja3 = std::string_view(*asked.ja3);
  if (asked.ja4) facts.ja4 = std::string_view(*asked.ja4);
  facts.ech = asked.ech;
  facts.now = asked.now.value_or(0);
  if (!asked.method) return question;
  facts.method = std::string_view(*asked.method);
  facts.path = std::string_view(asked.path);
  fields.clear();
  for (const HeaderLine& header : asked.headers) fields.push_back({header.name, header.value});
  if (asked.headers_known) facts.headers = std::span<const Field>(fields);
  return question;
}

}  // namespace egret
