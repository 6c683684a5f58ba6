// Resources -> the bootstrap that holds them, sharing each message with its body: whoever sees the same message at the
// same place in two of them that are both alive knows that it has not changed.
#pragma once

#include <memory>
#include <set>
#include <vector>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/xds/choose.h"

namespace egret {

class Composer {
 public:
  explicit Composer(const config::v1::Bootstrap& bootstrap);

  // The bootstrap with these bodies in the place of its own: its own first and in their order, then the others by name.
  // They live as long as it does. Resources may be added to it; those that are in it belong to others, too.
  std::shared_ptr<config::v1::Bootstrap> With(const Bodies& bodies) const;

 private:
  config::v1::Bootstrap bare_;  // without resources
  std::vector<ResourceKey> order_;
  std::set<ResourceKey> own_;  // the same
};

inline std::shared_ptr<config::v1::Bootstrap> Compose(const config::v1::Bootstrap& bootstrap, const Bodies& bodies) {
  return Composer(bootstrap).With(bodies);
}

}  // namespace egret
