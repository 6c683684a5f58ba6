#include "source/ctl/env.h"

#include <filesystem>
#include <optional>
#include <system_error>

#include "source/base/result.h"
#include "source/base/strings.h"
#include "source/policy/target.h"

namespace egret {
namespace {

struct Wanted {
  std::string client;
  std::string proxy = "http://127.0.0.1:3128";
  std::string ca;  // absolute; empty: none
};

// For any POSIX shell: nothing between single quotes means anything.
std::string Quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + '\'';
}

std::string Export(std::string_view name, std::string_view value) {
  return Cat("export ", name, "=", Quoted(value), "\n");
}

// Clients differ in which spelling they look at: curl takes http_proxy in lower case only.
std::string ProxyVariables(const Wanted& wanted) {
  std::string out;
  for (const char* const name : {"http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"})
    out += Export(name, wanted.proxy);
  return out;
}

// Variables that take the place of the public roots, so that the file has to hold those too.
std::string Bundle(const Wanted& wanted, std::initializer_list<const char*> names) {
  if (wanted.ca.empty()) return {};
  std::string out = "# Believed instead of the public roots: the file has to be bundle.pem, which holds them too.\n";
  for (const char* const name : names) out += Export(name, wanted.ca);
  return out;
}

std::string Curl(const Wanted& wanted) { return ProxyVariables(wanted) + Bundle(wanted, {"CURL_CA_BUNDLE"}); }
std::string Git(const Wanted& wanted) { return ProxyVariables(wanted) + Bundle(wanted, {"GIT_SSL_CAINFO"}); }
std::string Go(const Wanted& wanted) { return ProxyVariables(wanted) + Bundle(wanted, {"SSL_CERT_FILE"}); }
std::string Grpc(const Wanted& wanted) {
  return ProxyVariables(wanted) + Bundle(wanted, {"GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"});
}
std::string Pip(const Wanted& wanted) {
  return ProxyVariables(wanted) + Bundle(wanted, {"PIP_CERT", "REQUESTS_CA_BUNDLE"});
}
std::string Python(const Wanted& wanted) {
  return ProxyVariables(wanted) + Bundle(wanted, {"SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_CERT"});
}

// The tools of Java and NSS take a file's first certificate only; ca.pem holds two while a CA takes another's place.
std::string ForEachCertificate(const Wanted& wanted, std::string_view command) {
  return Cat("egret_ca=$(mktemp -d)\n",
             "awk -v to=\"$egret_ca\" '/BEGIN CERTIFICATE/ { n++ } n { print > (to \"/egret-\" n) }' < ",
             Quoted(wanted.ca), "\nfor egret_one in \"$egret_ca\"/egret-*; do ", command,
             "; done\nrm -r \"$egret_ca\"\n");
}

// Chromium looks at no variable for roots: besides its own it believes those of an NSS store in the user's home.
std::string Chromium(const Wanted& wanted) {
  std::string out = ProxyVariables(wanted);
  if (wanted.ca.empty()) return out;
  out +=
      "# certutil is in Debian's libnss3-tools.\n"
      "mkdir -p \"$HOME/.pki/nssdb\"\n"
      "[ -e \"$HOME/.pki/nssdb/cert9.db\" ] || certutil -d \"sql:$HOME/.pki/nssdb\" -N --empty-password\n";
  return out +
         ForEachCertificate(wanted,
                            "certutil -d \"sql:$HOME/.pki/nssdb\" -D -n \"${egret_one##*/}\" 2>/dev/null || true; "
                            "certutil -d \"sql:$HOME/.pki/nssdb\" -A -n \"${egret_one##*/}\" -t C,, -i "
                            "\"$egret_one\"");
}

std::string Node(const Wanted& wanted) {
  std::string out =
      ProxyVariables(wanted) +
      "# Node looks at those from 22.21 and 24 on; an older one needs an agent in the program. npm always does; "
      "where an npmrc names a cafile it believes that instead.\n" +
      Export("NODE_USE_ENV_PROXY", "1");
  if (!wanted.ca.empty()) out += Export("NODE_EXTRA_CA_CERTS", wanted.ca);
  return out;
}

std::string_view WithoutScheme(std::string_view url) { return url.substr(url.find("://") + 3); }

// Java looks at no variable for proxies, and has a store of its own.
std::string Java(const Wanted& wanted) {
  std::string_view authority = WithoutScheme(wanted.proxy);
  std::string out;
  if (const size_t at = authority.rfind('@'); at != std::string_view::npos) {
    authority.remove_prefix(at + 1);
    out += "# The user and password of the URL have to be given by an Authenticator in the program.\n";
  }
  const Result<Target, Fault> target = ParseAuthority(authority, std::nullopt);
  if (!target) return {};
  std::string options;
  for (const char* const scheme : {"http", "https"})
    Append(options, options.empty() ? "" : " ", "-D", scheme, ".proxyHost=", target->host, " -D", scheme,
           ".proxyPort=", target->port);
  if (!wanted.ca.empty()) {
    out +=
        "# A copy of Java's own store, with the CA besides. JAVA_HOME has to be set.\n"
        "cp \"$JAVA_HOME/lib/security/cacerts\" \"$HOME/.egret-trust\" && chmod u+w \"$HOME/.egret-trust\"\n";
    out +=
        ForEachCertificate(wanted,
                           "keytool -importcert -noprompt -alias \"${egret_one##*/}\" -file \"$egret_one\" -keystore "
                           "\"$HOME/.egret-trust\" -storepass changeit");
    return Cat(out, "export JAVA_TOOL_OPTIONS=", Quoted(options + " -Djavax.net.ssl.trustStore="),
               "\"$HOME/.egret-trust\"\n");
  }
  return out + Export("JAVA_TOOL_OPTIONS", options);
}

struct Client {
  std::string_view name;
  std::string (*print)(const Wanted& wanted);
};
constexpr Client kClients[] = {{"chromium", Chromium}, {"curl", Curl}, {"git", Git}, {"go", Go},        {"grpc", Grpc},
                               {"java", Java},         {"node", Node}, {"pip", Pip}, {"python", Python}};

const Client* Find(std::string_view name) {
  for (const Client& client : kClients)
    if (client.name == name) return &client;
  return nullptr;
}

bool IsProxyUrl(std::string_view url) {
  if (!url.starts_with("http://") && !url.starts_with("https://")) return false;
  std::string_view authority = WithoutScheme(url);
  if (const size_t at = authority.rfind('@'); at != std::string_view::npos) authority.remove_prefix(at + 1);
  if (url.find_first_of("\r\n") != std::string_view::npos) return false;
  return ParseAuthority(authority, std::nullopt).ok();
}

Result<Wanted, std::string> Parse(std::span<const std::string> arguments) {
  Wanted wanted;
  for (size_t i = 0; i < arguments.size(); i += 2) {
    const std::string& option = arguments[i];
    if (option != "--for" && option != "--proxy" && option != "--ca") return Cat("no option ", option);
    if (i + 1 == arguments.size()) return Cat("no value after ", option);
    std::error_code error;
    if (option == "--for") wanted.client = arguments[i + 1];
    if (option == "--proxy") wanted.proxy = arguments[i + 1];
    if (option == "--ca") wanted.ca = std::filesystem::absolute(arguments[i + 1], error).string();
  }
  if (wanted.client.empty()) return std::string("for which client? give --for");
  if (Find(wanted.client) == nullptr)
    return Cat("--for ", wanted.client,
               ": no such client; there are chromium, curl, git, go, grpc, java, node, pip, python");
  while (wanted.proxy.ends_with('/')) wanted.proxy.pop_back();
  if (!IsProxyUrl(wanted.proxy)) return Cat("--proxy ", wanted.proxy, ": write http://host:port");
  return wanted;
}

}  // namespace

int RunEnv(std::span<const std::string> arguments, Output& output) {
  const Result<Wanted, std::string> wanted = Parse(arguments);
  if (!wanted) return Misuse("env", wanted.error(), output);
  output.out += Find(wanted->client)->print(*wanted);
  return kDone;
}

}  // namespace egret
