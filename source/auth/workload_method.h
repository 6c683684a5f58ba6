// The address that the client has, and whose it is.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "source/auth/auth_method.h"
#include "source/auth/workloads.h"
#include "source/base/current.h"

namespace egret {

class WorkloadMethod final : public AuthMethod {
 public:
  explicit WorkloadMethod(std::shared_ptr<const Current<Workloads>> workloads) : workloads_(std::move(workloads)) {}
  AuthBy by() const override { return AuthBy::kSourceAddress; }
  std::vector<std::string> Challenges(std::string_view /*realm*/) const override { return {}; }
  AuthVerdict AtOnce(const AuthQuestion& question) const override;
  Task<AuthVerdict> Check(const AuthQuestion& /*question*/) const override { co_return AuthVerdict{}; }

 private:
  std::shared_ptr<const Current<Workloads>> workloads_;
};

}  // namespace egret
