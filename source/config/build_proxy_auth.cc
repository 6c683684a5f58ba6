#include "source/config/build_proxy_auth.h"

#include <utility>

#include "source/auth/basic_method.h"
#include "source/auth/certificate_method.h"
#include "source/base/check.h"
#include "source/base/strings.h"

namespace egret {
namespace {

using filters::http::v1::ProxyAuth;
using MethodPtr = std::unique_ptr<const AuthMethod>;
using Made = Result<MethodPtr, Problem>;

Result<std::shared_ptr<const UserList>, Problem> ReadUsers(const config::v1::Secret& secret) {
  const Result<std::string, Problem> text = ReadPart(secret.htpasswd(), secret, "htpasswd");
  if (!text) return text.error();
  Result<std::shared_ptr<const UserList>, Problem> users = UserList::Parse(*text);
  if (!users) return Problem{Cat("secrets.", secret.name(), ".htpasswd: ", users.error().text)};
  return users;
}

class Maker {
 public:
  Maker(const std::string& where, const SecretTable& secrets, std::shared_ptr<PasswordRoom>& passwords,
        std::vector<Renewable>& renewables)
      : where_(where), secrets_(secrets), passwords_(passwords), renewables_(renewables) {}

  Made Make(const ProxyAuth::Method& method) {
    switch (method.method_case()) {
      case ProxyAuth::Method::kBasic:
        return MakeBasic(method.basic());
      case ProxyAuth::Method::kClientCertificate: {
        const auto& prefixes = method.client_certificate().uri_prefixes();
        return MethodPtr(new CertificateMethod({prefixes.begin(), prefixes.end()}));
      }
      default:
        CHECK(false && "validated");
    }
  }

 private:
  Made MakeBasic(const ProxyAuth::Basic& basic) {
    Renewable part;
    part.what = where_;
    part.secrets = {basic.users()};
    auto users = MakeCurrent<UserList>(
        secrets_, [name = basic.users()](const SecretTable& of) { return ReadUsers(of.Get(name)); }, part);
    if (!users) return users.error();
    renewables_.push_back(std::move(part));
    if (passwords_ == nullptr) passwords_ = std::make_shared<PasswordRoom>();
    return MethodPtr(new BasicMethod(std::move(*users), passwords_));
  }

  const std::string& where_;
  const SecretTable& secrets_;
  std::shared_ptr<PasswordRoom>& passwords_;
  std::vector<Renewable>& renewables_;
};

}  // namespace

Result<ProxyAuthOptions, Problem> MakeProxyAuth(const ProxyAuth& filter, const std::string& where,
                                                const SecretTable& secrets, std::shared_ptr<PasswordRoom>& passwords,
                                                std::vector<Renewable>& renewables) {
  ProxyAuthOptions options;
  options.optional = filter.optional();
  if (!filter.realm().empty()) options.realm = filter.realm();
  Maker maker(where, secrets, passwords, renewables);
  for (const ProxyAuth::Method& method : filter.methods()) {
    Made made = maker.Make(method);
    if (!made) return Problem{Cat(where, ": ", made.error().text)};
    options.methods.push_back(std::move(*made));
  }
  return options;
}

}  // namespace egret
