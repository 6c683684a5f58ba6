// source_identity: who has the client's address, for connections of clients that know of no proxy and cannot be asked.
// An address that is nobody's is nobody's: rules decide what that one may do.
#pragma once

#include <memory>
#include <utility>

#include "source/auth/workloads.h"
#include "source/base/current.h"
#include "source/chain/filter.h"

namespace egret {

class SourceIdentityFilter final : public NetworkFilter {
 public:
  explicit SourceIdentityFilter(std::shared_ptr<const Current<Workloads>> workloads)
      : workloads_(std::move(workloads)) {}
  [[clang::coro_wrapper]] Task<void> Handle(Connection& connection, NetworkNext next) const override;

 private:
  std::shared_ptr<const Current<Workloads>> workloads_;
};

}  // namespace egret
