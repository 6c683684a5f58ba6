#include "source/config/next_hops.h"

#include <utility>

#include "source/base/base64.h"
#include "source/base/check.h"
#include "source/base/strings.h"
#include "source/config/tls_secrets.h"
#include "source/policy/target.h"

namespace egret {
namespace {

using config::v1::Upstream;

// Another parent under the same name is a number further.
PoolKey PoolKeyOf(const std::string& name, const BuiltHop* before) {
  if (before == nullptr) return Cat("parent ", name);
  const std::string& key = before->hop->pool_key;
  const size_t number = key.rfind(" #");
  const auto last = number == std::string::npos ? 1 : ParseDecimal<uint64_t>(key.substr(number + 2)).value_or(1);
  return Cat("parent ", name, " #", last + 1);
}

// user:password of a secret, as Proxy-Authorization carries it (RFC 7617).
Result<std::shared_ptr<const std::string>, Problem> BasicCredential(const config::v1::Secret& secret) {
  Result<std::string, Problem> text = ReadPart(secret.credential(), secret, "credential");
  if (!text) return text.error();
  while (!text->empty() && (text->back() == '\n' || text->back() == '\r')) text->pop_back();
  return std::make_shared<const std::string>(Cat("Basic ", Base64(*text)));
}

Result<std::shared_ptr<const Current<std::string>>, Problem> MakeCredential(const SecretTable& secrets,
                                                                            const std::string& name, BuiltHop& hop) {
  Renewable part;
  part.what = Cat("credential ", name);
  part.secrets = {name};
  part.stamp = StampOf(secrets.FilesOf(part.secrets));
  auto first = BasicCredential(secrets.Get(name));
  if (!first) return first.error();
  const auto current = std::make_shared<Current<std::string>>(std::move(*first));
  part.make = [name, current](const SecretTable& of) -> Result<Commit, Problem> {
    auto next = BasicCredential(of.Get(name));
    if (!next) return next.error();
    return Commit([current, made = std::move(*next)] { current->Set(made); });
  };
  part.expiries = [] { return std::vector<TlsExpiry>(); };
  hop.renewables.push_back(std::make_shared<const Renewable>(std::move(part)));
  return std::shared_ptr<const Current<std::string>>(current);
}

std::optional<Problem> PutTls(const Upstream& upstream, const SecretTable& secrets, const std::string& host,
                              NextHop& hop, BuiltHop& built) {
  const Upstream::HttpProxy& proxy = upstream.http_proxy();
  hop.http2 = proxy.http2() != Upstream::HttpProxy::NEVER;
  Result<ClientTls, Problem> tls = MakeClientTls(secrets, proxy.tls(), host, Cat("upstream ", upstream.name()));
  if (!tls) return Problem{Cat("upstream ", upstream.name(), ": ", tls.error().text)};
  hop.tls = std::move(tls->context);
  hop.tls_name = std::move(tls->name);
  built.renewables.push_back(std::make_shared<const Renewable>(std::move(tls->part)));
  return std::nullopt;
}

Result<std::shared_ptr<const BuiltHop>, Problem> BuildHop(const Upstream& upstream, const SecretTable& secrets,
                                                          const BuiltHop* before) {
  const Upstream::HttpProxy& proxy = upstream.http_proxy();
  Result<Target, Fault> target = ParseAuthority(proxy.address(), std::nullopt);
  CHECK(target.ok());  // validated
  const std::string host = target->host;
  const bool remote = upstream.resolve() == Upstream::REMOTE;
  BuiltHop built;
  built.message = upstream.SerializeAsString();
  NextHop hop{ConfiguredTarget::FromConfig(upstream.name(), std::move(*target)),
              remote ? NextHop::Resolve::kRemote : NextHop::Resolve::kLocal};
  hop.pool_key = PoolKeyOf(upstream.name(), before);
  if (!proxy.credential().empty()) {
    auto credential = MakeCredential(secrets, proxy.credential(), built);
    if (!credential) return credential.error();
    hop.authorization = std::move(*credential);
  }
  if (proxy.has_tls())
    if (std::optional<Problem> problem = PutTls(upstream, secrets, host, hop, built)) return std::move(*problem);
  built.hop = std::make_shared<const NextHop>(std::move(hop));
  return std::make_shared<const BuiltHop>(std::move(built));
}

}  // namespace

Result<NextHops, Problem> BuildNextHops(const config::v1::Bootstrap& bootstrap, const SecretTable& secrets,
                                        const NextHops& before) {
  NextHops hops;
  for (const Upstream& upstream : bootstrap.upstreams()) {
    const auto known = before.find(upstream.name());
    const BuiltHop* last = known == before.end() ? nullptr : known->second.get();
    if (last != nullptr && last->message == upstream.SerializeAsString()) {
      hops.insert(*known);
      continue;
    }
    auto built = BuildHop(upstream, secrets, last);
    if (!built) return built.error();
    hops[upstream.name()] = std::move(*built);
  }
  return hops;
}

}  // namespace egret
