#include "source/xds/ads_target.h"

#include <utility>

#include "source/config/secret_table.h"

namespace egret {
namespace {

using config::v1::Bootstrap;

constexpr int kMaxMessageBytes = 32 << 20;

}  // namespace

Result<AdsTarget, Problem> TargetOf(const Bootstrap& bootstrap, size_t server) {
  const auto& message = bootstrap.xds().servers(static_cast<int>(server));
  AdsTarget target;
  target.address = message.address();
  target.max_message_bytes = bootstrap.xds().has_max_message_bytes()
                                 ? static_cast<int>(bootstrap.xds().max_message_bytes())
                                 : kMaxMessageBytes;
  if (!message.has_tls()) return target;
  auto tls = ReadClientPem(SecretTable(bootstrap), message.tls());
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
