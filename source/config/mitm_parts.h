// What each mitm_terminator holds that is made of secrets: its CA, and the TLS that it speaks with either side.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/base/current.h"
#include "source/base/result.h"
#include "source/config/authority_secret.h"
#include "source/config/tls_secrets.h"
#include "source/filters/origin_contexts.h"
#include "source/tls/authority.h"
#include "source/tls/leaf_server.h"

namespace egret {

struct MitmPart {
  CurrentAuthority authority;
  std::shared_ptr<const CertificateAuthority> untrusted;  // null: not needed
  std::shared_ptr<const LeafServerContext> server;
  std::shared_ptr<const OriginContexts> origins;
};

class MitmParts {
 public:
  // Of a validated bootstrap, which outlives the renewables that are added.
  static Result<MitmParts, Problem> Make(const config::v1::Bootstrap& bootstrap, const Authorities& authorities,
                                         std::vector<Renewable>& renewables);

  // Of that filter, which is part of the bootstrap.
  const MitmPart& Of(const filters::network::v1::MitmTerminator& filter) const { return parts_.at(&filter); }

 private:
  std::map<const filters::network::v1::MitmTerminator*, MitmPart> parts_;
};

}  // namespace egret
