// The seam to the server: who puts a configuration in force.
#pragma once

#include <memory>
#include <vector>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/config/error.h"

namespace egret {

// Puts a whole configuration in force, or says why not; in force then stays what was. Called on the config thread; may
// block (compiles, opens sockets).
class ConfigSink {
 public:
  virtual ~ConfigSink() = default;
  // The bootstrap, and in its lists what was pushed and is to be in force. Errors have field paths of it
  // (`policies[3].rules[0].to`). None: in force from now on.
  virtual std::vector<ConfigError> Apply(std::shared_ptr<const config::v1::Bootstrap> effective) = 0;
};

}  // namespace egret
