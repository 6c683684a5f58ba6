#include "source/config/build_proxy_auth.h"

#include <type_traits>
#include <utility>

#include "source/auth/basic_method.h"
#include "source/auth/certificate_method.h"
#include "source/auth/jwt_method.h"
#include "source/auth/workload_method.h"
#include "source/base/check.h"
#include "source/base/strings.h"

namespace egret {
namespace {

using filters::http::v1::ProxyAuth;
using MethodPtr = std::unique_ptr<const AuthMethod>;
using Made = Result<MethodPtr, Problem>;

Result<std::string, Problem> TextOf(const config::v1::Secret& secret, std::type_identity<UserList> /*of*/) {
  return ReadPart(secret.htpasswd(), secret, "htpasswd");
}
Result<std::string, Problem> TextOf(const config::v1::Secret& secret, std::type_identity<KeySet> /*of*/) {
  return ReadPart(secret.jwks(), secret, "jwks");
}

template <class List>
Result<std::shared_ptr<const List>, Problem> Read(const config::v1::Secret& secret, const List* before) {
  const Result<std::string, Problem> text = TextOf(secret, std::type_identity<List>());
  if (!text) return text.error();
  Result<std::shared_ptr<const List>, Problem> list = List::Parse(*text, before);
  if (!list) return Problem{Cat("secrets.", secret.name(), ": ", list.error().text)};
  return list;
}

// A list that identities rest on: who is not in its next one is not known any more.
template <class List>
Result<std::shared_ptr<const Current<List>>, Problem> MakeList(const SecretTable& secrets, const std::string& name,
                                                               const std::string& where,
                                                               std::vector<Renewable>& renewables) {
  Renewable part;
  part.what = where;
  part.secrets = {name};
  part.stamp = StampOf(secrets.FilesOf(part.secrets));
  Result<std::shared_ptr<const List>, Problem> first = Read<List>(secrets.Get(name), nullptr);
  if (!first) return first.error();
  const auto current = std::make_shared<Current<List>>(std::move(*first));
  part.make = [name, current](const SecretTable& of) -> Result<Commit, Problem> {
    Result<std::shared_ptr<const List>, Problem> next = Read<List>(of.Get(name), current->Get().get());
    if (!next) return next.error();
    return Commit([current, made = std::move(*next)] {
      const std::shared_ptr<const List> before = current->Get();
      current->Set(made);
      before->WithdrawAllBut(*made);
    });
  };
  part.expiries = [] { return std::vector<TlsExpiry>(); };
  renewables.push_back(std::move(part));
  return std::shared_ptr<const Current<List>>(current);
}

JwtOptions OptionsOf(const ProxyAuth::Jwt& jwt) {
  JwtOptions options;
  options.issuer = jwt.issuer();
  options.audiences.assign(jwt.audiences().begin(), jwt.audiences().end());
  if (!jwt.user_claim().empty()) options.user_claim = jwt.user_claim();
  if (!jwt.groups_claim().empty()) options.groups_claim = jwt.groups_claim();
  return options;
}

class Maker {
 public:
  Maker(const std::string& where, const SecretTable& secrets, const AuthParts& parts,
        std::vector<Renewable>& renewables)
      : where_(where), secrets_(secrets), parts_(parts), renewables_(renewables) {}

  Made Make(const ProxyAuth::Method& method) {
    switch (method.method_case()) {
      case ProxyAuth::Method::kBasic:
        return MakeBasic(method.basic());
      case ProxyAuth::Method::kJwt:
        return MakeJwt(method.jwt());
      case ProxyAuth::Method::kClientCertificate: {
        const auto& prefixes = method.client_certificate().uri_prefixes();
        return MethodPtr(new CertificateMethod({prefixes.begin(), prefixes.end()}));
      }
      case ProxyAuth::Method::kSourceAddress: {
        const auto table = parts_.workloads.find(method.source_address().workloads());
        CHECK(table != parts_.workloads.end());  // validated
        return MethodPtr(new WorkloadMethod(table->second.current));
      }
      default:
        CHECK(false && "validated");
    }
  }

 private:
  Made MakeBasic(const ProxyAuth::Basic& basic) {
    auto users = MakeList<UserList>(secrets_, basic.users(), where_, renewables_);
    if (!users) return users.error();
    if (parts_.passwords == nullptr) parts_.passwords = std::make_shared<PasswordRoom>();
    return MethodPtr(new BasicMethod(std::move(*users), parts_.passwords));
  }

  Made MakeJwt(const ProxyAuth::Jwt& jwt) {
    if (jwt.has_jwks_url()) return MakeFetched(jwt);
    auto keys = MakeList<KeySet>(secrets_, jwt.jwks(), where_, renewables_);
    if (!keys) return keys.error();
    return MethodPtr(new JwtMethod(OptionsOf(jwt), jwt.accept_as_basic_password(), std::move(*keys)));
  }

  Made MakeFetched(const ProxyAuth::Jwt& jwt) {
    auto built = FindKeyFeed(jwt.jwks_url(), secrets_, parts_.open_keys, parts_.feeds);
    if (!built) return built.error();
    parts_.used.emplace(jwt.jwks_url().SerializeAsString(), *built);
    const std::shared_ptr<KeyFeed>& feed = (*built)->feed;
    return MethodPtr(new JwtMethod(OptionsOf(jwt), jwt.accept_as_basic_password(), feed->keys(), feed));
  }

  const std::string& where_;
  const SecretTable& secrets_;
  const AuthParts& parts_;
  std::vector<Renewable>& renewables_;
};

}  // namespace

Result<ProxyAuthOptions, Problem> MakeProxyAuth(const ProxyAuth& filter, const std::string& where,
                                                const SecretTable& secrets, const AuthParts& parts,
                                                std::vector<Renewable>& renewables) {
  ProxyAuthOptions options;
  options.optional = filter.optional();
  if (!filter.realm().empty()) options.realm = filter.realm();
  Maker maker(where, secrets, parts, renewables);
  for (const ProxyAuth::Method& method : filter.methods()) {
    Made made = maker.Make(method);
    if (!made) return Problem{Cat(where, ": ", made.error().text)};
    options.methods.push_back(std::move(*made));
  }
  return options;
}

}  // namespace egret
