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

Result<LoadedAuthority, Problem> LoadAuthority(const SecretTable& secrets, const std::string& name) {
  LoadedAuthority out;
  Renewable part;
  part.what = Cat("certificate authority ", name);
  part.secrets = {name};
  auto made =
      MakeCurrent<CertificateAuthority>(secrets, [name](const SecretTable& of) { return Make(of.Get(name)); }, part);
  if (!made) return made.error();
  out.authority = std::move(*made);
  out.part = std::make_shared<const Renewable>(std::move(part));
  return out;
}

}  // namespace

Result<Authorities, Problem> LoadAuthorities(const SecretTable& secrets, const Authorities& before) {
  Authorities out;
  for (const auto& [name, secret] : secrets.all()) {
    if (!secret->has_certificate_authority()) continue;
    if (const auto known = before.find(name); known != before.end()) {
      out.insert(*known);
      continue;
    }
    Result<LoadedAuthority, Problem> loaded = LoadAuthority(secrets, name);
    if (!loaded) return loaded.error();
    out[name] = std::move(*loaded);
  }
  return out;
}

}  // namespace egret
