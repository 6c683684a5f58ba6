// What an authorization service is asked and answers, as Envoy's contract has it on the wire.
#pragma once

#include "envoy/service/auth/v3/external_auth.pb.h"
#include "source/filters/authorizer.h"

namespace egret {

// Names in lower case; values of one name are joined by commas. What is not ASCII becomes '?': gRPC carries no bytes in
// a text.
void Put(const AuthzQuestion& question, envoy::service::auth::v3::CheckRequest& request);

AuthzAnswer AnswerOf(const envoy::service::auth::v3::CheckResponse& response);

}  // namespace egret
