// What becomes of a client's stream once a response head is out: CONNECT's 200 and Upgrade's 101 carry a takeover where
// others carry a body. A chain that only relays from here on leaves one, too.
#pragma once

#include <memory>
#include <utility>

#include "source/chain/record.h"
#include "source/event/combine.h"
#include "source/event/loop.h"
#include "source/event/task.h"
#include "source/io/stream.h"

namespace egret {

class Takeover;

// A client's stream on its way to whoever goes on with it. None: it is over.
struct Handover {
  std::unique_ptr<Takeover> to;
  std::unique_ptr<Stream> client;  // begins with the bytes that nobody has read yet
  RecordHolder record;
};

// Owns all that it needs and refers to no filter's frame: it runs after the chain that made it has unwound.
class Takeover {
 public:
  Takeover() = default;
  virtual ~Takeover() = default;
  Takeover(const Takeover&) = delete;
  Takeover& operator=(const Takeover&) = delete;

  // Once. What it gives goes on in its place, when it is gone. The record's line is written when the record dies.
  virtual Task<Handover> Run(std::unique_ptr<Stream> client, RecordHolder record) = 0;
};

// Runs one takeover after the other, each when the one before it is gone: a tunnel is worth what its last one holds.
Task<void> RunTakeovers(Handover next);

// The way to end a tunnel from outside; how to judge it again is for its takeover to say, which declares it after
// whoever owns the record that it registers with.
class TunnelEnding : public Running {
 public:
  TunnelEnding() = default;
  TunnelEnding(const TunnelEnding&) = delete;
  TunnelEnding& operator=(const TunnelEnding&) = delete;

  void Register(ExchangeRecord& record) {
    record_ = &record;
    record.running = this;
  }
  void End(Failure why) override {
    if (gate_.open()) return;
    record_->Fail(why);
    record_->close_reason = TextOf(why.fault).detail;
    gate_.Open();
  }
  Gate& gate() { return gate_; }  // opens when it is to end
  // Runs the tunnel until it is over, or ended: then what it did is destroyed, and this says false.
  Task<bool> Run(Task<void> tunnel) {
    const auto outcome = co_await Race(std::move(tunnel), gate_);
    co_return outcome.index() == 0 && !gate_.open();
  }

 protected:
  ~TunnelEnding() {
    if (record_ != nullptr && record_->running == this) record_->running = nullptr;
  }

 private:
  ExchangeRecord* record_ = nullptr;
  Gate gate_{false};
};

}  // namespace egret
