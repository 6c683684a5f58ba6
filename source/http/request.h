// A request as a server codec hands it out, of either protocol version.
#pragma once

#include <memory>

#include "source/base/failure.h"
#include "source/http/body.h"
#include "source/http/head.h"

namespace egret {

struct Request {
  Head head;
  std::unique_ptr<Body> body;     // null: no content. Borrows the codec
  bool expects_continue = false;  // a 1.1 client waits for 100 before it sends the body; else Expect is removed
};

// RFC 9110 10.1.1: what Expect says, off the head and into `expects_continue`; it stays in the head only where it is
// meant. kHttpExpectation for anything but 100-continue.
Fault TakeExpectation(Request& request);

}  // namespace egret
