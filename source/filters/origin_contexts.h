// Whom to believe of the origins that are decrypted for, and what to show them: by name.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "source/base/current.h"
#include "source/policy/pattern.h"
#include "source/tls/tls_context.h"

namespace egret {

class OriginContexts {
 public:
  using Context = std::shared_ptr<const Current<TlsClientContext>>;
  // The first whose names have the origin's is taken.
  struct Named {
    std::vector<DomainPattern> names;
    Context context;
  };

  OriginContexts(std::vector<Named> named, Context others) : named_(std::move(named)), others_(std::move(others)) {}

  // `host`: canonical. An address has no name: it is one of the others.
  std::shared_ptr<const TlsClientContext> Of(std::string_view host) const;

 private:
  std::vector<Named> named_;
  Context others_;
};

}  // namespace egret
