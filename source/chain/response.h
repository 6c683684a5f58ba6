// What a chain of HTTP filters gives for a request.
#pragma once

#include <memory>

#include "source/chain/takeover.h"
#include "source/http/body.h"
#include "source/http/head.h"

namespace egret {

// A takeover only with a 2xx (to CONNECT, ordinary or extended) or a 101, and never beside a body.
struct Response {
  Head head;
  std::unique_ptr<Body> body;  // null: no content
  std::unique_ptr<Takeover> takeover;
};

}  // namespace egret
