#include "source/config/mitm_parts.h"

#include <time.h>

#include <utility>

#include "source/base/check.h"
#include "source/base/log.h"
#include "source/base/strings.h"
#include "source/config/walk.h"
#include "source/policy/pattern.h"

namespace egret {
namespace {

using config::v1::Bootstrap;
using filters::network::v1::MitmTerminator;

class Finder final : public Visitor {
 public:
  void Enter(const google::protobuf::Message& message, const std::string& path) override {
    if (message.GetDescriptor() == MitmTerminator::descriptor())
      found.emplace_back(&static_cast<const MitmTerminator&>(message), path);
  }
  bool Visit(const google::protobuf::Message&, const google::protobuf::FieldDescriptor&, const std::string&) override {
    return true;
  }

  std::vector<std::pair<const MitmTerminator*, std::string>> found;
};

class Maker {
 public:
  Maker(const Bootstrap& bootstrap, const Authorities& authorities, std::vector<Renewable>& renewables)
      : bootstrap_(bootstrap), authorities_(authorities), renewables_(renewables) {}

  Result<MitmPart, Problem> Make(const MitmTerminator& filter, const std::string& path) {
    MitmPart part;
    part.authority = authorities_.at(filter.authority());
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
    Result<ClientTls, Problem> made = MakeClientTls(bootstrap_, tls, "", what, verify);
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

  const Bootstrap& bootstrap_;
  const Authorities& authorities_;
  std::vector<Renewable>& renewables_;
};

}  // namespace

Result<MitmParts, Problem> MitmParts::Make(const Bootstrap& bootstrap, const Authorities& authorities,
                                           std::vector<Renewable>& renewables) {
  MitmParts out;
  Finder finder;
  Walk(bootstrap, "", finder);
  Maker maker(bootstrap, authorities, renewables);
  for (const auto& [filter, path] : finder.found) {
    Result<MitmPart, Problem> part = maker.Make(*filter, path);
    if (!part) return part.error();
    out.parts_[filter] = std::move(*part);
  }
  return out;
}

}  // namespace egret
