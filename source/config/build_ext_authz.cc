#include "source/config/build_ext_authz.h"

#include <utility>

#include "source/base/current.h"
#include "source/base/strings.h"
#include "source/config/duration.h"

namespace egret {
namespace {

using filters::http::v1::ExtAuthz;
using Opened = Result<std::shared_ptr<const Authorizer>, Problem>;

AuthorizerTarget TargetOf(const ExtAuthz& filter) {
  AuthorizerTarget target;
  target.address = filter.address();
  if (filter.has_timeout()) target.timeout_ms = Milliseconds(filter.timeout());
  if (filter.has_max_calls()) target.max_calls = filter.max_calls();
  return target;
}

Opened Open(const ExtAuthz& filter, const SecretTable& secrets, const OpenAuthorizer& open) {
  AuthorizerTarget target = TargetOf(filter);
  if (filter.has_tls()) {
    Result<ClientPem, Problem> tls = ReadClientPem(secrets, filter.tls());
    if (!tls) return tls.error();
    target.tls = std::move(*tls);
  }
  return open(target);
}

}  // namespace

Result<ExtAuthzOptions, Problem> MakeExtAuthz(const ExtAuthz& filter, const std::string& where,
                                              const SecretTable& secrets, const OpenAuthorizer& open,
                                              std::vector<Renewable>& renewables) {
  ExtAuthzOptions options;
  options.failure_mode_allow = filter.failure_mode_allow();
  for (const std::string& name : filter.credential_headers()) options.credential_headers.push_back(name);
  for (const auto& extension : filter.context_extensions())
    options.extensions.push_back({extension.key(), extension.value()});
  Renewable part;
  part.what = where;
  for (const std::string* name : {&filter.tls().trust(), &filter.tls().certificate()})
    if (!name->empty()) part.secrets.push_back(*name);
  auto service =
      MakeCurrent<Authorizer>(secrets, [filter, open](const SecretTable& of) { return Open(filter, of, open); }, part);
  if (!service) return Problem{Cat(where, ": ", service.error().text)};
  options.service = std::move(*service);
  renewables.push_back(std::move(part));
  return options;
}

}  // namespace egret
