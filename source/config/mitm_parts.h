// What a mitm_terminator holds that is made of secrets: its CA, and the TLS that it speaks with either side.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/base/result.h"
#include "source/config/authority_secret.h"
#include "source/config/renewable.h"
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

// Of a filter of a validated configuration. `where`: it stands, for people. Adds to the renewables.
Result<MitmPart, Problem> MakeMitmPart(const filters::network::v1::MitmTerminator& filter, const std::string& where,
                                       const SecretTable& secrets, const Authorities& authorities,
                                       std::vector<Renewable>& renewables);

}  // namespace egret
