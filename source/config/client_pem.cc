#include "source/config/client_pem.h"

#include <utility>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/config/tls_secrets.h"
#include "source/tls/certificates.h"

namespace egret {

using config::v1::Secret;

Result<ClientPem, Problem> ReadClientPem(const SecretTable& secrets, const config::v1::ClientTls& message) {
  // With our own eyes first: what is wrong is said with its name.
  const auto made = MakeClientTls(secrets, message, "", "");
  if (!made) return made.error();
  ClientPem pem{.roots_pem = {}, .certificate_pem = {}, .key_pem = {}, .server_name = message.server_name()};
  const Secret* trust = message.trust().empty() ? nullptr : &secrets.Get(message.trust());
  if (trust == nullptr || trust->trust().system_roots()) pem.roots_pem = SystemRootsPem();
  if (trust != nullptr) {
    auto roots = ReadPart(trust->trust().roots(), *trust, "trust.roots");
    if (!roots) return roots.error();
    pem.roots_pem += *roots;
  }
  if (message.certificate().empty()) return pem;
  const Secret& pair = secrets.Get(message.certificate());
  auto certificate = ReadPart(pair.certificate().certificate(), pair, "certificate.certificate");
  if (!certificate) return certificate.error();
  auto key = ReadPart(pair.certificate().key(), pair, "certificate.key");
  if (!key) return key.error();
  pem.certificate_pem = std::move(*certificate);
  pem.key_pem = std::move(*key);
  return pem;
}

}  // namespace egret
