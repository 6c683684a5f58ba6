#include "source/filters/source_identity.h"

#include "source/chain/connection.h"

namespace egret {

Task<void> SourceIdentityFilter::Handle(Connection& connection, NetworkNext next) const {
  connection.identity = workloads_->Get()->Find(connection.peer.address);
  return next(connection);
}

}  // namespace egret
