#include "source/config/tls_secrets.h"

#include <sys/stat.h>

#include <utility>

#include "source/base/check.h"
#include "source/base/strings.h"
#include "source/config/data_source.h"

namespace egret {
namespace {

using config::v1::Bootstrap;
using config::v1::DataSource;
using config::v1::Secret;
using filters::network::v1::TlsTerminator;

const Secret& Find(const Bootstrap& bootstrap, const std::string& name) {
  for (const Secret& secret : bootstrap.secrets())
    if (secret.name() == name) return secret;
  CHECK(false && "validated");
}

// A source that is not set is an empty text.
Result<std::string, Problem> Read(const DataSource& source, const Secret& secret, std::string_view field) {
  if (source.source_case() == DataSource::SOURCE_NOT_SET) return std::string();
  Result<std::string, Problem> text = ReadDataSource(source);
  if (!text) return Problem{Cat("secrets.", secret.name(), ".", field, ": ", text.error().text)};
  return text;
}

Result<TlsKeyPair, Problem> ReadKeyPair(const Secret& secret) {
  Result<std::string, Problem> certificate =
      Read(secret.certificate().certificate(), secret, "certificate.certificate");
  if (!certificate) return certificate.error();
  Result<std::string, Problem> key = Read(secret.certificate().key(), secret, "certificate.key");
  if (!key) return key.error();
  return TlsKeyPair{secret.name(), std::move(*certificate), std::move(*key)};
}

Result<TlsTrust, Problem> ReadTrust(const Secret& secret) {
  Result<std::string, Problem> roots = Read(secret.trust().roots(), secret, "trust.roots");
  if (!roots) return roots.error();
  Result<std::string, Problem> crl = Read(secret.trust().crl(), secret, "trust.crl");
  if (!crl) return crl.error();
  TlsTrust trust{std::move(*roots), secret.trust().system_roots(), std::move(*crl)};
  // Here, where its name is known.
  const Result<StorePtr, Problem> store = MakeStore(trust);
  if (!store) return Problem{Cat("secrets.", secret.name(), ".trust.", store.error().text)};
  return trust;
}

void AddFiles(const Secret& secret, std::vector<std::string>& files) {
  for (const DataSource* source : {&secret.certificate().certificate(), &secret.certificate().key(),
                                   &secret.trust().roots(), &secret.trust().crl()})
    if (source->has_file()) files.push_back(source->file());
}

std::vector<std::string> FilesOf(const Bootstrap& bootstrap, const TlsTerminator& message) {
  std::vector<std::string> files;
  for (const std::string& name : message.certificates()) AddFiles(Find(bootstrap, name), files);
  const std::string& trust = message.client_certificates().trust();
  if (!trust.empty()) AddFiles(Find(bootstrap, trust), files);
  return files;
}

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

Result<std::shared_ptr<const TlsServerContext>, Problem> MakeContext(const Bootstrap& bootstrap,
                                                                     const TlsTerminator& message,
                                                                     const std::vector<std::string>& alpn) {
  TlsServerOptions options;
  for (const std::string& name : message.certificates()) {
    Result<TlsKeyPair, Problem> pair = ReadKeyPair(Find(bootstrap, name));
    if (!pair) return pair.error();
    options.certificates.push_back(std::move(*pair));
  }
  options.client_certificates = ModeOf(message);
  if (options.client_certificates != TlsServerOptions::ClientCertificates::kNone) {
    Result<TlsTrust, Problem> trust = ReadTrust(Find(bootstrap, message.client_certificates().trust()));
    if (!trust) return trust.error();
    options.trust = std::move(*trust);
  }
  if (message.minimum_version() == TlsTerminator::TLS_1_3) options.settings.least = TlsSettings::Version::k13;
  options.settings.cipher_suites.assign(message.cipher_suites().begin(), message.cipher_suites().end());
  options.settings.alpn = alpn;
  auto made = TlsServerContext::Make(options);
  if (!made) return Problem{Cat("secrets.", made.error().text)};
  return made;
}

}  // namespace

std::string StampOf(const std::vector<std::string>& files) {
  std::string stamp;
  for (const std::string& file : files) {
    struct stat now{};
    if (stat(file.c_str(), &now) == 0)
      Append(stamp, now.st_dev, ":", now.st_ino, ":", now.st_size, ":", now.st_mtim.tv_sec, ".", now.st_mtim.tv_nsec);
    stamp += ';';
  }
  return stamp;
}

Result<ServerTls, Problem> MakeServerTls(const Bootstrap& bootstrap, const TlsTerminator& message,
                                         std::vector<std::string> alpn, std::string what) {
  Renewable part;
  part.what = std::move(what);
  part.files = FilesOf(bootstrap, message);
  part.stamp = StampOf(part.files);
  Result<std::shared_ptr<const TlsServerContext>, Problem> first = MakeContext(bootstrap, message, alpn);
  if (!first) return first.error();
  const auto current = std::make_shared<Current<TlsServerContext>>(std::move(*first));
  part.renew = [&bootstrap, &message, alpn = std::move(alpn), current]() -> std::optional<Problem> {
    Result<std::shared_ptr<const TlsServerContext>, Problem> next = MakeContext(bootstrap, message, alpn);
    if (!next) return next.error();
    current->Set(std::move(*next));
    return std::nullopt;
  };
  part.expiries = [current] { return current->Get()->expiries(); };
  return ServerTls{current, std::move(part)};
}

}  // namespace egret
