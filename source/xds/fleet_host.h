// The seam to the server: what a process tells of itself to the control plane's Fleet service, and what it does when it
// is told to.
#pragma once

#include "egret/control/v1/fleet.pb.h"

namespace egret {

// Called on the config thread; must not block.
class FleetHost {
 public:
  virtual ~FleetHost() = default;
  // Puts into a report what is new since this was last asked for: what rules decided, failures, and what commands asked
  // to be sent. Only asked for where there is somebody to hear it.
  virtual void Tell(control::v1::Report& report) = 0;
  // Nobody listens any more: what commands asked for ends. Drain goes on.
  virtual void Forget() = 0;
  // The control plane says so, over the connection that configuration comes by.
  virtual void Obey(const control::v1::Command& command) = 0;
};

}  // namespace egret
