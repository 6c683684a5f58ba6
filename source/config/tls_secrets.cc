#include "source/config/tls_secrets.h"

#include <openssl/crypto.h>

#include <utility>

#include "source/base/strings.h"

namespace egret {
namespace {

using config::v1::Secret;
using filters::network::v1::TlsTerminator;

Result<TlsKeyPair, Problem> ReadKeyPair(const Secret& secret) {
  Result<std::string, Problem> certificate =
      ReadPart(secret.certificate().certificate(), secret, "certificate.certificate");
  if (!certificate) return certificate.error();
  Result<std::string, Problem> key = ReadPart(secret.certificate().key(), secret, "certificate.key");
  if (!key) return key.error();
  return TlsKeyPair{secret.name(), std::move(*certificate), std::move(*key)};
}

Result<TlsTrust, Problem> ReadTrust(const Secret& secret) {
  Result<std::string, Problem> roots = ReadPart(secret.trust().roots(), secret, "trust.roots");
  if (!roots) return roots.error();
  Result<std::string, Problem> crl = ReadPart(secret.trust().crl(), secret, "trust.crl");
  if (!crl) return crl.error();
  TlsTrust trust{std::move(*roots), secret.trust().system_roots(), std::move(*crl)};
  // Here, where its name is known.
  const Result<StorePtr, Problem> store = MakeStore(trust);
  if (!store) return Problem{Cat("secrets.", secret.name(), ".trust.", store.error().text)};
  return trust;
}

void Wipe(std::string& secret) { OPENSSL_cleanse(secret.data(), secret.size()); }

TlsServerOptions::ClientCertificates ModeOf(const TlsTerminator& message) {
  switch (message.client_certificates().mode()) {
    case TlsTerminator::ClientCertificates::REQUEST:
      return TlsServerOptions::ClientCertificates::kRequest;
    case TlsTerminator::ClientCertificates::REQUIRE:
      return TlsServerOptions::ClientCertificates::kRequire;
    default:
      return TlsServerOptions::ClientCertificates::kNone;
  }
}

Result<std::shared_ptr<const TlsServerContext>, Problem> MakeContext(const SecretTable& secrets,
                                                                     const TlsTerminator& message,
                                                                     const std::vector<std::string>& alpn) {
  TlsServerOptions options;
  for (const std::string& name : message.certificates()) {
    Result<TlsKeyPair, Problem> pair = ReadKeyPair(secrets.Get(name));
    if (!pair) return pair.error();
    options.certificates.push_back(std::move(*pair));
  }
  options.client_certificates = ModeOf(message);
  if (options.client_certificates != TlsServerOptions::ClientCertificates::kNone) {
    Result<TlsTrust, Problem> trust = ReadTrust(secrets.Get(message.client_certificates().trust()));
    if (!trust) return trust.error();
    options.trust = std::move(*trust);
  }
  if (message.minimum_version() == TlsTerminator::TLS_1_3) options.settings.least = TlsSettings::Version::k13;
  options.settings.cipher_suites.assign(message.cipher_suites().begin(), message.cipher_suites().end());
  options.settings.alpn = alpn;
  auto made = TlsServerContext::Make(options);
  for (TlsKeyPair& pair : options.certificates) Wipe(pair.key_pem);
  if (!made) return Problem{Cat("secrets.", made.error().text)};
  return made;
}

Result<std::shared_ptr<const TlsClientContext>, Problem> MakeContext(const SecretTable& secrets,
                                                                     const config::v1::ClientTls& message,
                                                                     bool verify) {
  TlsClientOptions options;
  options.verify = verify;
  options.require_staple = message.ocsp() == config::v1::ClientTls::REQUIRE_STAPLE;
  options.trust.system_roots = message.trust().empty();
  if (!message.trust().empty()) {
    Result<TlsTrust, Problem> trust = ReadTrust(secrets.Get(message.trust()));
    if (!trust) return trust.error();
    options.trust = std::move(*trust);
  }
  if (!message.certificate().empty()) {
    Result<TlsKeyPair, Problem> pair = ReadKeyPair(secrets.Get(message.certificate()));
    if (!pair) return pair.error();
    options.certificate = std::move(*pair);
  }
  auto made = TlsClientContext::Make(options);
  Wipe(options.certificate.key_pem);
  if (!made) return Problem{message.trust().empty() ? made.error().text : Cat("secrets.", made.error().text)};
  return made;
}

}  // namespace

Result<ServerTls, Problem> MakeServerTls(const SecretTable& secrets, const TlsTerminator& message,
                                         std::vector<std::string> alpn, std::string what) {
  ServerTls tls;
  tls.part.what = std::move(what);
  tls.part.secrets.assign(message.certificates().begin(), message.certificates().end());
  const std::string& trust = message.client_certificates().trust();
  if (!trust.empty()) tls.part.secrets.push_back(trust);
  auto made = MakeCurrent<TlsServerContext>(
      secrets, [message, alpn = std::move(alpn)](const SecretTable& of) { return MakeContext(of, message, alpn); },
      tls.part);
  if (!made) return made.error();
  tls.context = std::move(*made);
  return tls;
}

Result<ClientTls, Problem> MakeClientTls(const SecretTable& secrets, const config::v1::ClientTls& message,
                                         const std::string& host, std::string what, bool verify) {
  ClientTls tls;
  tls.part.what = std::move(what);
  for (const std::string* name : {&message.trust(), &message.certificate()})
    if (!name->empty()) tls.part.secrets.push_back(*name);
  auto made = MakeCurrent<TlsClientContext>(
      secrets, [message, verify](const SecretTable& of) { return MakeContext(of, message, verify); }, tls.part);
  if (!made) return made.error();
  tls.context = std::move(*made);
  tls.name = message.server_name().empty() ? host : message.server_name();
  return tls;
}

}  // namespace egret
