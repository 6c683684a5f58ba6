// Resources that were found good before. They are known by their address: a resource of a configuration never changes,
// and a newer one that keeps it shares it (source/xds/compose.h). So what is judged of it alone is not judged again.
#pragma once

#include <google/protobuf/message.h>

#include <unordered_set>

#include "egret/config/v1/bootstrap.pb.h"

namespace egret {

class Judged {
 public:
  Judged() = default;
  // Those of a configuration that is valid, and there for as long as this is.
  explicit Judged(const config::v1::Bootstrap& valid);

  bool Has(const google::protobuf::Message& resource) const {
    return !resources_.empty() && resources_.contains(&resource);
  }

 private:
  std::unordered_set<const google::protobuf::Message*> resources_;
};

}  // namespace egret
