#include "source/filters/origin_contexts.h"

#include <algorithm>

namespace egret {

std::shared_ptr<const TlsClientContext> OriginContexts::Of(std::string_view host) const {
  for (const Named& named : named_)
    if (std::any_of(named.names.begin(), named.names.end(),
                    [host](const DomainPattern& pattern) { return pattern.Matches(host); }))
      return named.context->Get();
  return others_->Get();
}

}  // namespace egret
