#include "source/config/router_tls.h"

#include <optional>
#include <string>
#include <utility>

#include "source/base/strings.h"
#include "source/config/walk.h"

namespace egret {
namespace {

using filters::http::v1::ForwardRouter;

// Those with settings of their own, and where they stand.
class RouterFinder final : public Visitor {
 public:
  void Enter(const google::protobuf::Message& message, const std::string& path) override {
    if (message.GetDescriptor() != ForwardRouter::descriptor()) return;
    const auto& router = static_cast<const ForwardRouter&>(message);
    if (router.has_tls()) found.emplace_back(&router, path);
  }
  bool Visit(const google::protobuf::Message&, const google::protobuf::FieldDescriptor&, const std::string&) override {
    return true;
  }

  std::vector<std::pair<const ForwardRouter*, std::string>> found;
};

}  // namespace

Result<RouterTls, Problem> RouterTls::Make(const config::v1::Bootstrap& bootstrap, std::vector<Renewable>& renewables) {
  RouterTls out;
  const auto make = [&](const config::v1::ClientTls& message, std::string what) -> Result<Context, Problem> {
    Result<ClientTls, Problem> tls = MakeClientTls(bootstrap, message, "", what);
    if (!tls) return Problem{Cat(what, ": ", tls.error().text)};
    renewables.push_back(std::move(tls->part));
    return std::move(tls->context);
  };
  Result<Context, Problem> common = make(config::v1::ClientTls::default_instance(), "forward_router");
  if (!common) return common.error();
  out.common_ = std::move(*common);
  RouterFinder finder;
  Walk(bootstrap, "", finder);
  for (const auto& [router, path] : finder.found) {
    Result<Context, Problem> own = make(router->tls(), Cat(path, ".tls"));
    if (!own) return own.error();
    out.own_[router] = std::move(*own);
  }
  return out;
}

const RouterTls::Context& RouterTls::Of(const ForwardRouter& router) const {
  const auto at = own_.find(&router);
  return at == own_.end() ? common_ : at->second;
}

}  // namespace egret
