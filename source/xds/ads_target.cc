#include "source/xds/ads_target.h"

#include <utility>

#include "source/config/secret_table.h"
#include "source/config/tls_secrets.h"
#include "source/tls/certificates.h"

namespace egret {
namespace {

using config::v1::Bootstrap;
using config::v1::Secret;

constexpr int kMaxMessageBytes = 32 << 20;

Result<AdsTarget::Tls, Problem> ReadTls(const SecretTable& secrets, const config::v1::ClientTls& message) {
  // With our own eyes first: what is wrong is said with its name.
  const auto made = MakeClientTls(secrets, message, "", "");
  if (!made) return made.error();
  AdsTarget::Tls tls{.roots_pem = {}, .certificate_pem = {}, .key_pem = {}, .server_name = message.server_name()};
  const Secret* trust = message.trust().empty() ? nullptr : &secrets.Get(message.trust());
  if (trust == nullptr || trust->trust().system_roots()) tls.roots_pem = SystemRootsPem();
  if (trust != nullptr) {
    auto roots = ReadPart(trust->trust().roots(), *trust, "trust.roots");
    if (!roots) return roots.error();
    tls.roots_pem += *roots;
  }
  if (message.certificate().empty()) return tls;
  const Secret& pair = secrets.Get(message.certificate());
  auto certificate = ReadPart(pair.certificate().certificate(), pair, "certificate.certificate");
  if (!certificate) return certificate.error();
  auto key = ReadPart(pair.certificate().key(), pair, "certificate.key");
  if (!key) return key.error();
  tls.certificate_pem = std::move(*certificate);
  tls.key_pem = std::move(*key);
  return tls;
}

}  // namespace

Result<AdsTarget, Problem> TargetOf(const Bootstrap& bootstrap, size_t server) {
  const auto& message = bootstrap.xds().servers(static_cast<int>(server));
  AdsTarget target;
  target.address = message.address();
  target.max_message_bytes = bootstrap.xds().has_max_message_bytes()
                                 ? static_cast<int>(bootstrap.xds().max_message_bytes())
                                 : kMaxMessageBytes;
  if (!message.has_tls()) return target;
  auto tls = ReadTls(SecretTable(bootstrap), message.tls());
  if (!tls) return tls.error();
  target.tls = std::move(*tls);
  return target;
}

std::vector<std::string> FilesOf(const Bootstrap& bootstrap, size_t server) {
  const auto& tls = bootstrap.xds().servers(static_cast<int>(server)).tls();
  std::vector<std::string> names;
  for (const std::string* name : {&tls.trust(), &tls.certificate()})
    if (!name->empty()) names.push_back(*name);
  return SecretTable(bootstrap).FilesOf(names);
}

}  // namespace egret
