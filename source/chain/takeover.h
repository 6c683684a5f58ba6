// What becomes of a client's stream once a response head is out: CONNECT's 200 and Upgrade's 101 carry a takeover where
// others carry a body.
#pragma once

#include <memory>

#include "source/chain/record.h"
#include "source/event/task.h"
#include "source/io/stream.h"

namespace egret {

// Owns all that it needs and refers to no filter's frame: it runs after the chain that made it has unwound.
class Takeover {
 public:
  Takeover() = default;
  virtual ~Takeover() = default;
  Takeover(const Takeover&) = delete;
  Takeover& operator=(const Takeover&) = delete;

  // Once. `client` begins with the bytes that followed the request. The record's line is written when the record dies.
  virtual Task<void> Run(std::unique_ptr<Stream> client, RecordHolder record) = 0;
};

}  // namespace egret
