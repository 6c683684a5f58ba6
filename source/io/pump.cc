#include "source/io/pump.h"

#include <algorithm>
#include <cstring>

#include "source/base/buffer.h"
#include "source/io/relay_stats.h"
#include "source/io/socket_stream.h"

namespace egret {
namespace {

constexpr int kReadsPerTurn = 16;
// Below this a direction carries messages, not bulk. Measured: from here on splice() takes 0.6 of what copying takes.
constexpr uint32_t kBulkBytes = 1u << 20;

}  // namespace

Gate& Pump::AwaitedGate() { return state_ == State::kNeedsWrite ? to_.WriteGate() : from_.ReadGate(); }

bool Pump::Stop(State state, int error) {
  state_ = state;
  error_ = error;
  return false;
}

Pump::State Pump::Move() {
  if (ended() || broke()) return state_;
  state_ = State::kMore;
  for (int reads = 0; reads < kReadsPerTurn; ++reads) {
    if (!Flush()) return state_;
    if (source_ended_) {
      const Io io = to_.Finish();
      Stop(io.again() ? State::kNeedsWrite : io.failed() ? State::kTargetBroke : State::kEnded, io.error);
      return state_;
    }
    // Nothing is read that could not be written: the kernel holds it better than we do.
    if (!to_.WriteGate().open()) {
      pipe_.reset();
      Stop(State::kNeedsWrite);
      return state_;
    }
    if (!from_.ReadGate().open()) {
      pipe_.reset();
      Stop(State::kNeedsRead);
      return state_;
    }
    if (!(WantsSplice() ? Splice() : Copy())) return state_;
  }
  return state_;
}

// What was read before goes first. False: it is not all out.
bool Pump::Flush() {
  if (pipe_ && pipe_->held > 0) return DrainPipe();
  if (parked_ == nullptr) return true;
  std::string_view rest(parked_.get() + parked_at_, parked_bytes_ - parked_at_);
  const bool well = Put(rest);
  parked_at_ = parked_bytes_ - static_cast<uint32_t>(rest.size());
  if (!well) return false;
  if (!rest.empty()) return Stop(State::kNeedsWrite);
  Unpark();
  return true;
}

// Writes as much as the target takes and drops it from `bytes`. False: it broke.
bool Pump::Put(std::string_view& bytes) {
  while (!bytes.empty()) {
    const Io io = to_.Write(bytes);
    if (io.again()) return true;
    if (io.kind != Io::kBytes) return Stop(State::kTargetBroke, io.error);
    bytes.remove_prefix(io.bytes);
    moved_.Add(io.bytes);
  }
  return true;
}

bool Pump::Copy() {
  Buffer buffer(large_ ? Buffer::kLarge : Buffer::kSmall);
  const Io in = from_.Read(buffer.span());
  if (in.again()) return Stop(State::kNeedsRead);
  if (in.failed()) return Stop(State::kSourceBroke, in.error);
  if (in.end()) {
    source_ended_ = true;
    return true;
  }
  Note(in.bytes);
  std::string_view rest(buffer.data(), in.bytes);
  if (!Put(rest)) return false;
  if (!rest.empty()) {
    large_ = false;  // a slow reader; the rest in the kernel's buffers is the sender's to hold
    Park(rest);
    return Stop(State::kNeedsWrite);
  }
  large_ = in.bytes == buffer.size() || in.bytes > Buffer::kSmall;
  return true;
}

void Pump::Note(size_t read_bytes) {
  run_bytes_ = read_bytes < Buffer::kSmall ? 0 : std::min(kBulkBytes, run_bytes_ + static_cast<uint32_t>(read_bytes));
}

// Bulk between two plain sockets need not come to user space, as long as the thread has a pipe to lend.
bool Pump::WantsSplice() {
  if (run_bytes_ < kBulkBytes || from_.AsSocket() == nullptr || to_.AsSocket() == nullptr) return false;
  if (!pipe_) pipe_ = PipeLoan::Take();
  return pipe_.has_value();
}

// Only into an empty pipe: so EAGAIN can only speak of the socket, and a source that breaks leaves nothing behind.
bool Pump::Splice() {
  const Io in = from_.AsSocket()->SpliceOut(pipe_->write_end(), PipeLoan::kBytes);
  if (in.kind != Io::kBytes) pipe_.reset();
  if (in.again()) return Stop(State::kNeedsRead);
  if (in.failed()) return Stop(State::kSourceBroke, in.error);
  if (in.end()) {
    source_ended_ = true;
    return true;
  }
  Note(in.bytes);
  pipe_->held = in.bytes;
  return DrainPipe();
}

bool Pump::DrainPipe() {
  SocketStream& to = *to_.AsSocket();
  while (pipe_->held > 0) {
    const Io out = to.SpliceIn(pipe_->read_end(), pipe_->held);
    if (out.again()) return Stop(State::kNeedsWrite);
    if (out.kind != Io::kBytes) return Stop(State::kTargetBroke, out.error);
    pipe_->held -= out.bytes;
    moved_.Add(out.bytes);
    RelayStats::OfThread().spliced_bytes.Add(out.bytes);
  }
  return true;
}

void Pump::Park(std::string_view bytes) {
  parked_ = std::make_unique_for_overwrite<char[]>(bytes.size());
  std::memcpy(parked_.get(), bytes.data(), bytes.size());
  parked_bytes_ = static_cast<uint32_t>(bytes.size());
  parked_at_ = 0;
  RelayStats::OfThread().parked_bytes.Add(parked_bytes_);
  held_.Add(parked_bytes_);
}

void Pump::Unpark() {
  if (parked_ == nullptr) return;
  parked_.reset();
  RelayStats::OfThread().parked_bytes.Add(-int64_t{parked_bytes_});
  held_.Add(-int64_t{parked_bytes_});
}

}  // namespace egret
