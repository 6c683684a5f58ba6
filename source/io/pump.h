// One direction of a relay: what was read from one stream goes to the other. Not a coroutine: Move() does what can be
// done now, and an idle tunnel pays for two of these and one frame.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "source/base/counter.h"
#include "source/io/pipe_pool.h"
#include "source/io/stream.h"

namespace egret {

class Pump {
 public:
  enum class State : uint8_t {
    kNeedsRead,    // waits for the source's read gate
    kNeedsWrite,   // waits for the target's write gate
    kMore,         // could go on, but has had its turn
    kEnded,        // the source ended, and the target was told
    kSourceBroke,  // for good
    kTargetBroke,
  };

  // All of them outlive it. `moved` counts what the target has taken, `held` what was read and it has not.
  Pump(Stream& from, Stream& to, Counter& moved, Gauge& held) : from_(from), to_(to), moved_(moved), held_(held) {}
  ~Pump() { Unpark(); }
  Pump(const Pump&) = delete;
  Pump& operator=(const Pump&) = delete;

  State Move();
  State state() const { return state_; }
  bool ended() const { return state_ == State::kEnded; }
  bool broke() const { return state_ == State::kSourceBroke || state_ == State::kTargetBroke; }
  int error() const { return error_; }  // once it broke
  Gate& AwaitedGate();                  // while it needs one

 private:
  bool Stop(State state, int error = 0);
  bool Flush();
  bool Put(std::string_view& bytes);
  bool Copy();
  bool Splice();
  bool DrainPipe();
  bool WantsSplice();
  void Park(std::string_view bytes);
  void Unpark();
  void Note(size_t read_bytes);

  Stream& from_;
  Stream& to_;
  Counter& moved_;
  Gauge& held_;
  std::unique_ptr<char[]> parked_;  // read, and refused by the target
  std::optional<PipeLoan> pipe_;
  uint32_t parked_bytes_ = 0, parked_at_ = 0;
  uint32_t run_bytes_ = 0;  // read in a row by reads that were not small
  int error_ = 0;
  State state_ = State::kNeedsRead;
  bool large_ = false;
  bool source_ended_ = false;
};

}  // namespace egret
