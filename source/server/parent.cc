#include "source/server/parent.h"

#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include "source/base/strings.h"
#include "source/policy/target.h"

namespace egret {
namespace {

using config::v1::Bootstrap;
using config::v1::Listener;

constexpr char kName[] = "parent";

constexpr char kRemedy[] = "--parent: not a proxy's URL; write http://host:port or http://user:password@host:port";

int HexDigit(char c) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const size_t at = kDigits.find(AsciiLower(c));
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

// Nothing where an escape is not one, or stands for a control character (RFC 7617 2).
std::optional<std::string> PercentDecoded(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (text.size() - i < 3) return std::nullopt;
      const int high = HexDigit(text[i + 1]), low = HexDigit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      c = static_cast<char>(16 * high + low);
      i += 2;
    }
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return std::nullopt;
    out += c;
  }
  return out;
}

// What a URL's user:password says, as Basic carries it: there the first colon ends the user.
std::optional<std::string> CredentialOf(std::string_view userinfo) {
  const size_t colon = userinfo.find(':');
  const std::optional<std::string> user = PercentDecoded(userinfo.substr(0, colon));
  const std::optional<std::string> password =
      colon == std::string_view::npos ? std::string() : PercentDecoded(userinfo.substr(colon + 1));
  if (!user || !password || user->find(':') != std::string::npos) return std::nullopt;
  return Cat(*user, ':', *password);
}

// As a secret of the configuration, which the last upstream shows.
std::optional<Problem> PutCredential(std::string_view userinfo, const std::string& file, Bootstrap& bootstrap) {
  if (userinfo.empty() && file.empty()) return std::nullopt;
  if (!userinfo.empty() && !file.empty())
    return Problem{"--parent-credentials: --parent has a user and password already; leave one of them out"};
  config::v1::Secret& secret = *bootstrap.add_secrets();
  secret.set_name("parent-credential");
  if (!file.empty()) {
    std::error_code error;
    secret.mutable_credential()->set_file(std::filesystem::absolute(file, error).string());
  } else if (std::optional<std::string> credential = CredentialOf(userinfo)) {
    secret.mutable_credential()->set_inline_string(std::move(*credential));
  } else {
    return Problem{
        "--parent: user or password is not well percent-encoded, or the user holds a colon; write e.g. %40 "
        "for @, or use --parent-credentials"};
  }
  bootstrap.mutable_upstreams()->rbegin()->mutable_http_proxy()->set_credential(secret.name());
  return std::nullopt;
}

std::optional<Problem> PutParent(std::string url, const std::string& credentials, Bootstrap& bootstrap) {
  constexpr std::string_view kScheme = "http://";
  if (!url.starts_with(kScheme)) return Problem{kRemedy};
  url.erase(0, kScheme.size());
  while (url.ends_with('/')) url.pop_back();
  config::v1::Upstream& parent = *bootstrap.add_upstreams();
  parent.set_name(kName);
  // Whoever needs a parent often has no name server for the outside either.
  parent.set_resolve(config::v1::Upstream::REMOTE);
  const size_t at = url.rfind('@');
  const std::string userinfo = at == std::string::npos ? "" : url.substr(0, at);
  if (at != std::string::npos) url.erase(0, at + 1);
  if (!ParseAuthority(url, std::nullopt)) return Problem{kRemedy};
  parent.mutable_http_proxy()->set_address(url);
  return PutCredential(userinfo, credentials, bootstrap);
}

void UseParent(google::protobuf::RepeatedPtrField<config::v1::NetworkFilter>& filters) {
  for (config::v1::NetworkFilter& filter : filters) {
    if (!filter.has_http_connection()) continue;
    for (config::v1::HttpFilter& http : *filter.mutable_http_connection()->mutable_filters()) {
      if (http.has_forward_router() && http.forward_router().upstream().empty())
        http.mutable_forward_router()->set_upstream(kName);
      if (http.has_connect_tunnel() && http.connect_tunnel().upstream().empty())
        http.mutable_connect_tunnel()->set_upstream(kName);
    }
  }
}

void UseParent(Listener& listener) {
  UseParent(*listener.mutable_filters());
  for (config::v1::FilterChain& chain : *listener.mutable_filter_chains()) UseParent(*chain.mutable_filters());
  if (listener.transparent() != Listener::OFF && listener.upstream().empty()) listener.set_upstream(kName);
}

}  // namespace

std::optional<Problem> GoOutThrough(const std::string& url, const std::string& credentials, Bootstrap& bootstrap) {
  if (std::optional<Problem> problem = PutParent(url, credentials, bootstrap)) return problem;
  for (Listener& listener : *bootstrap.mutable_listeners()) UseParent(listener);
  return std::nullopt;
}

}  // namespace egret
