// ext_authz: asks an outside service about a request that policy has let through. It can only narrow; where there is no
// answer, or none that can be carried out, the request is refused.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "source/base/current.h"
#include "source/chain/filter.h"
#include "source/filters/authorizer.h"

namespace egret {

struct ExtAuthzOptions {
  std::shared_ptr<const Current<Authorizer>> service;
  bool failure_mode_allow = false;
  std::vector<std::string> credential_headers;  // credentials that are told
  std::vector<AuthzExtension> extensions;
};

class ExtAuthzFilter final : public HttpFilter {
 public:
  explicit ExtAuthzFilter(ExtAuthzOptions options);
  Task<Response> Handle(Exchange& exchange, HttpNext next) const override;

 private:
  // Nothing: it goes on, changed as the service wants it, and `later` is for its response.
  Task<std::optional<Response>> Refusal(Exchange& exchange, std::vector<AuthzField>& later) const;
  Task<AuthzAnswer> Ask(Exchange& exchange) const;
  AuthzQuestion QuestionOf(Exchange& exchange) const;
  bool IsTold(const Field& field) const;

  ExtAuthzOptions options_;
};

}  // namespace egret
