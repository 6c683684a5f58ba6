#include "source/config/mitm_parts.h"

#include <time.h>

#include <utility>

#include "source/base/check.h"
#include "source/base/log.h"
#include "source/base/strings.h"
#include "source/config/error.h"
#include "source/config/tls_secrets.h"
#include "source/policy/pattern.h"

namespace egret {
namespace {

using filters::network::v1::MitmTerminator;

class Maker {
 public:
  Maker(const SecretTable& secrets, const Authorities& authorities, std::vector<Renewable>& renewables)
      : secrets_(secrets), authorities_(authorities), renewables_(renewables) {}

  Result<MitmPart, Problem> Make(const MitmTerminator& filter, const std::string& path) {
    MitmPart part;
    part.authority = authorities_.find(filter.authority())->second.authority;
    if (filter.on_origin_failure() == MitmTerminator::UNTRUSTED_LEAF)
      part.untrusted = CertificateAuthority::MakeUntrusted(time(nullptr));
    auto server = LeafServerContext::Make({});
    if (!server) return Problem{Cat(path, ": ", server.error().text)};
    part.server = std::move(*server);
    Result<std::shared_ptr<const OriginContexts>, Problem> origins = OriginsOf(filter, path);
    if (!origins) return origins.error();
    part.origins = std::move(*origins);
    return part;
  }

 private:
  Result<OriginContexts::Context, Problem> ContextOf(const config::v1::ClientTls& tls, const std::string& what,
                                                     bool verify) {
    Result<ClientTls, Problem> made = MakeClientTls(secrets_, tls, "", what, verify);
    if (!made) return Problem{Cat(what, ": ", made.error().text)};
    renewables_.push_back(std::move(made->part));
    return std::move(made->context);
  }

  Result<std::shared_ptr<const OriginContexts>, Problem> OriginsOf(const MitmTerminator& filter,
                                                                   const std::string& path) {
    std::vector<OriginContexts::Named> named;
    for (int i = 0; i < filter.destinations_size(); ++i) {
      const MitmTerminator::Destination& destination = filter.destinations(i);
      const std::string at = Below(Below(path, "destinations"), static_cast<size_t>(i));
      const config::v1::ClientTls& tls = destination.has_tls() ? destination.tls() : filter.tls();
      Result<OriginContexts::Context, Problem> context = ContextOf(tls, at, !destination.unverified());
      if (!context) return context.error();
      if (destination.unverified()) Warn(destination, at);
      named.push_back({PatternsOf(destination), std::move(*context)});
    }
    Result<OriginContexts::Context, Problem> others = ContextOf(filter.tls(), path, true);
    if (!others) return others.error();
    return std::make_shared<const OriginContexts>(std::move(named), std::move(*others));
  }

  static std::vector<DomainPattern> PatternsOf(const MitmTerminator::Destination& destination) {
    std::vector<DomainPattern> out;
    for (const std::string& domain : destination.domains()) {
      Result<DomainPattern, std::string> pattern = ParsePattern(domain);
      CHECK(pattern.ok());  // validated
      out.push_back(std::move(*pattern));
    }
    return out;
  }

  static void Warn(const MitmTerminator::Destination& destination, const std::string& at) {
    for (const std::string& domain : destination.domains())
      Log(LogComponent::kConfig, LogLevel::kWarning, at, ": the certificates of ", domain,
          " are not verified: whoever stands on the way can read and change everything");
  }

  const SecretTable& secrets_;
  const Authorities& authorities_;
  std::vector<Renewable>& renewables_;
};

}  // namespace

Result<MitmPart, Problem> MakeMitmPart(const MitmTerminator& filter, const std::string& where,
                                       const SecretTable& secrets, const Authorities& authorities,
                                       std::vector<Renewable>& renewables) {
  return Maker(secrets, authorities, renewables).Make(filter, where);
}

}  // namespace egret
