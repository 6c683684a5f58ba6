#include "source/run/environment.h"

#include <cstdlib>
#include <utility>

#include "source/base/strings.h"

namespace egret {
namespace {

constexpr std::string_view kDirect = "localhost,127.0.0.1,::1";

void Set(std::vector<std::string>& environment, std::string_view name, std::string_view value) {
  const std::string start = Cat(name, "=");
  std::erase_if(environment, [&start](const std::string& one) { return one.starts_with(start); });
  environment.push_back(start + std::string(value));
}

std::string ValueOf(const std::vector<std::string>& environment, std::string_view name) {
  const std::string start = Cat(name, "=");
  for (const std::string& one : environment)
    if (one.starts_with(start)) return one.substr(start.size());
  return {};
}

// Java looks at none of the others. What is local goes past a proxy by itself there. Every Java takes these, in
// whatever program it is; JDK_JAVA_OPTIONS only the launcher of a new one does, and it says so on standard error as
// well.
std::string JavaOptions(std::string options, std::string_view address, std::string_view trust) {
  const size_t colon = address.rfind(':');
  for (const std::string_view scheme : {"http", "https"})
    Append(options, options.empty() ? "" : " ", "-D", scheme, ".proxyHost=", address.substr(0, colon), " -D", scheme,
           ".proxyPort=", address.substr(colon + 1));
  if (!trust.empty()) Append(options, " -Djavax.net.ssl.trustStore=", trust);
  return options;
}

}  // namespace

std::string CallersProxy() {
  // HTTP_PROXY is none of them: of a CGI program, it is a header field of whoever asks (CVE-2016-5385).
  for (const char* const name : {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "http_proxy"})
    if (const char* const value = std::getenv(name); value != nullptr && *value != '\0')
      return std::string_view(value).find("://") == std::string_view::npos ? Cat("http://", value) : value;
  return {};
}

std::vector<std::string> EnvironmentOf(std::vector<std::string> inherited, std::string_view address,
                                       const TrustPaths& trust) {
  const std::string url = Cat("http://", address);
  // Clients differ in which spelling they look at: curl takes http_proxy in lower case only.
  for (const std::string_view name :
       {"http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY",
        // npm's own configuration would otherwise come before the variables.
        "npm_config_proxy", "npm_config_https_proxy"})
    Set(inherited, name, url);
  for (const std::string_view name : {"no_proxy", "NO_PROXY", "npm_config_noproxy"}) Set(inherited, name, kDirect);
  Set(inherited, "NODE_USE_ENV_PROXY", "1");
  Set(inherited, "JAVA_TOOL_OPTIONS", JavaOptions(ValueOf(inherited, "JAVA_TOOL_OPTIONS"), address, trust.java));
  if (trust.pem.empty()) return inherited;
  for (const std::string_view name :
       {"SSL_CERT_FILE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "REQUESTS_CA_BUNDLE", "PIP_CERT", "AWS_CA_BUNDLE",
        "NODE_EXTRA_CA_CERTS", "npm_config_cafile", "CARGO_HTTP_CAINFO", "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
        "DENO_CERT", "NIX_SSL_CERT_FILE", "HTTPLIB2_CA_CERTS", "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE",
        "PERL_LWP_SSL_CA_FILE"})
    Set(inherited, name, trust.pem);
  return inherited;
}

}  // namespace egret
