// egress_policy: the decision, at every stage where more is known. As an HTTP filter it decides stage T of what asks to
// be reached, and stage R of each request inside a tunnel; as a network filter stage H of what a tunnel carries, and
// everything about what was redirected here (transparent.h). The
// first one that a connection meets names the policies; those inside its tunnels continue them.
#pragma once

#include <optional>

#include "source/chain/filter.h"
#include "source/policy/stack.h"

namespace egret {

class EgressPolicyHttpFilter final : public HttpFilter {
 public:
  // Without policies: continues those of the connection.
  explicit EgressPolicyHttpFilter(std::optional<PolicyStack> policies);
  Task<Response> Handle(Exchange& exchange, HttpNext next) const override;

 private:
  std::optional<PolicyStack> policies_;
};

class EgressPolicyNetworkFilter final : public NetworkFilter {
 public:
  explicit EgressPolicyNetworkFilter(std::optional<PolicyStack> policies);
  [[clang::coro_wrapper]] Task<void> Handle(Connection& connection, NetworkNext next) const override;

 private:
  std::optional<PolicyStack> policies_;
};

}  // namespace egret
