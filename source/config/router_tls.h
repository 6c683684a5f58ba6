// The TLS that each forward_router speaks with origins.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/base/current.h"
#include "source/base/result.h"
#include "source/config/tls_secrets.h"
#include "source/tls/tls_context.h"

namespace egret {

class RouterTls {
 public:
  using Context = std::shared_ptr<const Current<TlsClientContext>>;

  // Of a validated bootstrap, which outlives the renewables that are added.
  static Result<RouterTls, Problem> Make(const config::v1::Bootstrap& bootstrap, std::vector<Renewable>& renewables);

  // Of that router, which is part of the bootstrap; those without settings share one.
  const Context& Of(const filters::http::v1::ForwardRouter& router) const;

 private:
  std::map<const filters::http::v1::ForwardRouter*, Context> own_;
  Context common_;
};

}  // namespace egret
