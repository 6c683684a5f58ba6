#include "source/config/check_broker.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "source/base/strings.h"
#include "source/http/credential_field.h"

namespace egret {
namespace {

using config::v1::Bootstrap;
using config::v1::Listener;
using filters::http::v1::CredentialBroker;
using filters::network::v1::HttpConnection;

bool IsPlaceholder(std::string_view text) {
  return text.size() >= 8 && text.size() <= 256 && std::all_of(text.begin(), text.end(), [](char c) {
           return IsAsciiLetter(c) || IsAsciiDigit(c) || std::string_view("._:-").find(c) != std::string_view::npos;
         });
}

// Or a prefix of some: whole segments before one '*' that ends it.
bool IsSpiffeId(std::string_view text) {
  constexpr std::string_view kScheme = "spiffe://";
  const size_t star = text.find('*');
  return text.starts_with(kScheme) && text.size() > kScheme.size() && text[kScheme.size()] != '/' &&
         (star == std::string_view::npos || (star + 1 == text.size() && text.ends_with("/*")));
}

class BrokerChecker {
 public:
  std::vector<ConfigError> Take() { return std::move(errors_); }

  template <class Filters>
  void CheckChain(const Listener& listener, const Filters& filters, const std::string& path) {
    // Clients of a proxy may ask for https: themselves; inside a tunnel, or redirected, they do not say so.
    const bool explicit_proxy = !listener.has_internal() && listener.transparent() == Listener::OFF;
    bool secure = false;
    for (int i = 0; i < filters.size(); ++i) {
      secure = secure || filters[i].has_mitm_terminator() || (explicit_proxy && filters[i].has_tls_terminator());
      if (!filters[i].has_http_connection()) continue;
      const HttpConnection& http = filters[i].http_connection();
      CheckHttp(http, secure || (explicit_proxy && http.https_in_clear()),
                Below(Below(path, static_cast<size_t>(i)), "http_connection.filters"));
    }
  }

 private:
  void Add(const std::string& path, std::string value, std::string why, std::string remedy) {
    errors_.push_back({.field = path, .value = std::move(value), .why = std::move(why), .remedy = std::move(remedy)});
  }

  void CheckHttp(const HttpConnection& connection, bool secure, const std::string& path) {
    bool judged = false;
    for (int i = 0; i < connection.filters_size(); ++i) {
      const auto& filter = connection.filters(i);
      judged = judged || filter.has_egress_policy();
      if (!filter.has_credential_broker()) continue;
      const std::string at = Below(Below(path, static_cast<size_t>(i)), "credential_broker");
      if (!secure)
        Add(at, "", "what comes here is in clear, and no credential goes there",
            "put it behind mitm_terminator, or where clients may ask for https: themselves (tls_terminator)");
      if (!judged) Add(at, "", "nothing has allowed the request yet", "put egress_policy before it");
      if (i + 1 == connection.filters_size() || !connection.filters(i + 1).has_forward_router())
        Add(at, "", "what comes after it would see the credential", "put it right before forward_router");
      CheckBindings(filter.credential_broker(), Below(at, "bindings"));
    }
  }

  void CheckBindings(const CredentialBroker& broker, const std::string& path) {
    for (int i = 0; i < broker.bindings_size(); ++i) {
      const CredentialBroker::Binding& binding = broker.bindings(i);
      const std::string at = Below(path, static_cast<size_t>(i));
      CheckPlace(binding, at);
      for (int j = 0; j < binding.path_prefixes_size(); ++j)
        if (!binding.path_prefixes(j).starts_with('/'))
          Add(Below(Below(at, "path_prefixes"), static_cast<size_t>(j)), ShownValue(binding.path_prefixes(j)),
              "not a path", "begin it with a slash");
      for (int j = 0; j < binding.spiffe_ids_size(); ++j)
        if (!IsSpiffeId(binding.spiffe_ids(j)))
          Add(Below(Below(at, "spiffe_ids"), static_cast<size_t>(j)), ShownValue(binding.spiffe_ids(j)),
              "not a SPIFFE ID", "write for example \"spiffe://prod/ns/build/sa/ci\" or \"spiffe://prod/ns/*\"");
      if (!binding.placeholder().empty()) CheckPlaceholder(broker, binding.placeholder(), Below(at, "placeholder"));
    }
  }

  void CheckPlace(const CredentialBroker::Binding& binding, const std::string& path) {
    const bool templated = binding.template_() != CredentialBroker::Binding::NONE;
    const int places = !binding.header().empty() + templated + binding.has_s3();
    if (places == 0) Add(path, "", "nothing says where the credential stands", "give header, template or s3");
    if (places > 1)
      Add(path, "", "it is said twice where the credential stands", "keep one of header, template and s3");
    if (!binding.header().empty() && !IsCredentialField(binding.header()))
      Add(Below(path, "header"), ShownValue(binding.header()), "not a field of credentials",
          "write e.g. authorization or x-api-key");
  }

  void CheckPlaceholder(const CredentialBroker& broker, const std::string& placeholder, const std::string& path) {
    if (!IsPlaceholder(placeholder))
      return Add(path, ShownValue(placeholder), "not a placeholder",
                 "write 8 to 256 letters, digits, or any of . _ : -");
    for (const CredentialBroker::Binding& other : broker.bindings())
      if (other.placeholder() != placeholder && other.placeholder().find(placeholder) != std::string::npos)
        Add(path, ShownValue(placeholder), Cat("part of another placeholder, ", other.placeholder()),
            "make them differ");
  }

  std::vector<ConfigError> errors_;
};

}  // namespace

std::vector<ConfigError> CheckBroker(const Bootstrap& bootstrap) {
  BrokerChecker checker;
  for (int i = 0; i < bootstrap.listeners_size(); ++i) {
    const Listener& listener = bootstrap.listeners(i);
    const std::string path = Below("listeners", static_cast<size_t>(i));
    checker.CheckChain(listener, listener.filters(), Below(path, "filters"));
    for (int j = 0; j < listener.filter_chains_size(); ++j)
      checker.CheckChain(listener, listener.filter_chains(j).filters(),
                         Below(Below(Below(path, "filter_chains"), static_cast<size_t>(j)), "filters"));
  }
  return checker.Take();
}

}  // namespace egret
