#include "source/auth/workload_method.h"

namespace egret {

AuthVerdict WorkloadMethod::AtOnce(const AuthQuestion& question) const {
  std::shared_ptr<const Identity> owner = workloads_->Get()->Find(question.source);
  if (owner == nullptr) return {};
  return {AuthVerdict::Kind::kAccepted, std::move(owner)};
}

}  // namespace egret
