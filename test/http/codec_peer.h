// The other end of a codec under test, and small bodies for it.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "source/base/buffer.h"
#include "source/base/check.h"
#include "source/event/loop.h"
#include "source/event/task.h"
#include "source/event/wait.h"
#include "source/http/body.h"
#include "source/io/stream.h"
#include "test/support/pipe.h"
#include "test/support/run_task.h"

namespace egret {

// A task that a test drives by hand.
template <class T>
class Driven {
 public:
  Driven(Loop& loop, Task<T> task) : loop_(loop), task_(std::move(task)) { task_.Start(joiner_); }
  bool done() const { return task_.done(); }
  // Turns the loop until it has ended.
  T Finish() {
    for (int i = 0; i < 100000 && !done(); ++i) loop_.Turn(50);
    CHECK(done());
    return task_.Take();
  }
  // Turns the loop until nothing moves any more; says whether it has ended.
  bool Settle() {
    while (loop_.Turn(0)) {
    }
    return done();
  }

 private:
  Loop& loop_;
  TestJoiner joiner_;
  Task<T> task_;
};

// Counts the calls that would be system calls.
class CountingStream final : public Stream {
 public:
  explicit CountingStream(Stream& below) : below_(below) {}
  using Stream::Write;
  Io Read(std::span<char> into) override {
    reads += below_.ReadGate().open() ? 1 : 0;
    return below_.Read(into);
  }
  Io Write(std::span<const iovec> pieces) override {
    ++writes;
    return below_.Write(pieces);
  }
  Io Finish() override { return below_.Finish(); }
  void Abort() override { below_.Abort(); }
  Gate& ReadGate() override { return below_.ReadGate(); }
  Gate& WriteGate() override { return below_.WriteGate(); }
  Gate& GoneGate() override { return below_.GoneGate(); }
  Gate& PeerDoneGate() override { return below_.PeerDoneGate(); }

  int reads = 0, writes = 0;

 private:
  Stream& below_;
};

// A peer's end: says, hears.
inline void Say(PipeStream& peer, std::string_view bytes) { ASSERT_EQ(peer.Write(bytes).bytes, bytes.size()); }
inline std::string Hear(PipeStream& peer) {
  std::string heard;
  char block[4096];
  for (Io io = peer.Read(block); io.kind == Io::kBytes; io = peer.Read(block)) heard.append(block, io.bytes);
  return heard;
}

// Content that the test feeds piece by piece; of unknown length unless it is told.
class FedBody final : public Body {
 public:
  explicit FedBody(std::optional<uint64_t> length = std::nullopt) : length_(length) {}
  void Feed(std::string bytes) { Push({Chunk::kBytes, std::move(bytes)}); }
  void End() { Push({Chunk::kEnd, {}}); }
  void Fail(Failure why) {
    why_ = why;
    Push({Chunk::kFailed, {}});
  }
  void AddTrailer(std::string_view name, std::string_view value) { trailers_.Add(name, value); }

  Task<Chunk> Read() override {
    while (next_.empty()) {
      fed_.Close();
      co_await GateAwaiter(fed_);
    }
    given_ = next_.front().bytes;
    const Chunk::Kind kind = next_.front().kind;
    if (kind == Chunk::kBytes) next_.pop_front();
    co_return Chunk{kind, given_, kind == Chunk::kFailed ? why_ : Failure{}};
  }
  bool Ready() const override { return !next_.empty(); }
  std::optional<uint64_t> Length() const override { return length_; }
  const Trailers* trailers() const override { return &trailers_; }
  void Release() override {
    given_ = {};
    ++released;
  }

  int released = 0;

 private:
  struct Piece {
    Chunk::Kind kind;
    std::string bytes;
  };
  void Push(Piece piece) {
    next_.push_back(std::move(piece));
    fed_.Open();
  }
  std::optional<uint64_t> length_;
  std::deque<Piece> next_;
  std::string given_;
  Failure why_;
  Trailers trailers_;
  Gate fed_{false};
};

}  // namespace egret
