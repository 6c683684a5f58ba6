#include "source/config/authority_secret.h"

#include <openssl/crypto.h>
#include <time.h>

#include <utility>

#include "source/base/strings.h"
#include "source/config/duration.h"

namespace egret {
namespace {

using config::v1::Secret;

Result<std::shared_ptr<const CertificateAuthority>, Problem> Make(const Secret& secret) {
  const Secret::CertificateAuthority& message = secret.certificate_authority();
  AuthorityOptions options;
  options.name = secret.name();
  Result<std::string, Problem> certificate =
      ReadPart(message.certificate(), secret, "certificate_authority.certificate");
  if (!certificate) return certificate.error();
  options.certificate_pem = std::move(*certificate);
  Result<std::string, Problem> also = ReadPart(message.also_trust(), secret, "certificate_authority.also_trust");
  if (!also) return also.error();
  options.also_trust_pem = std::move(*also);
  Result<std::string, Problem> key = ReadPart(message.key(), secret, "certificate_authority.key");
  if (!key) return key.error();
  options.key_pem = std::move(*key);
  if (message.has_leaf_lifetime())
    options.leaf_lifetime_s = static_cast<int64_t>(Milliseconds(message.leaf_lifetime()) / 1000);
  auto made = CertificateAuthority::Make(options, time(nullptr));
  OPENSSL_cleanse(options.key_pem.data(), options.key_pem.size());
  if (!made) return Problem{Cat("secrets.", secret.name(), ".certificate_authority.", made.error().text)};
  return made;
}

}  // namespace

Result<LoadedAuthority, Problem> LoadAuthority(const config::v1::Bootstrap& bootstrap, const std::string& name) {
  const Secret& secret = FindSecret(bootstrap, name);
  LoadedAuthority out;
  out.part.what = Cat("certificate authority ", name);
  const Secret::CertificateAuthority& message = secret.certificate_authority();
  for (const config::v1::DataSource* source : {&message.certificate(), &message.key(), &message.also_trust()})
    if (source->has_file()) out.part.files.push_back(source->file());
  auto made = MakeCurrent<CertificateAuthority>([&secret] { return Make(secret); }, out.part);
  if (!made) return made.error();
  out.authority = std::move(*made);
  return out;
}

Result<Authorities, Problem> LoadAuthorities(const config::v1::Bootstrap& bootstrap,
                                             std::vector<Renewable>& renewables) {
  Authorities out;
  for (const config::v1::Secret& secret : bootstrap.secrets()) {
    if (!secret.has_certificate_authority()) continue;
    Result<LoadedAuthority, Problem> loaded = LoadAuthority(bootstrap, secret.name());
    if (!loaded) return loaded.error();
    out[secret.name()] = std::move(loaded->authority);
    renewables.push_back(std::move(loaded->part));
  }
  return out;
}

}  // namespace egret
