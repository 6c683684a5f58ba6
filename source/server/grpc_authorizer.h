// An authorization service that is asked over gRPC: begun on the worker's thread, answered on one of gRPC's, posted
// back to the worker's loop.
#pragma once

#include <memory>

#include "source/config/build_ext_authz.h"
#include "source/filters/authorizer.h"

namespace egret {

// Connects when it is first asked; where a connection breaks, another is tried for once a second.
std::shared_ptr<const Authorizer> OpenGrpcAuthorizer(const AuthorizerTarget& target);

}  // namespace egret
