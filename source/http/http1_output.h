// Writes an HTTP/1 message to a stream, waiting where it must. While it waits it holds the unwritten rest itself, so
// the body's borrowed buffer is back before.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "source/base/failure.h"
#include "source/event/task.h"
#include "source/http/body.h"
#include "source/http/framing.h"
#include "source/io/stream.h"

namespace egret {

class Http1Output {
 public:
  // How a write that fails, or of which no byte is taken within `ms`, is reported.
  Http1Output(Stream& stream, uint64_t ms, Failure broken, Failure timeout)
      : stream_(stream), ms_(ms), broken_(broken), timeout_(timeout) {}

  // The pieces one behind the other, in one call to the stream where it takes them. They must stay until the task
  // ends, except for what `source` (may be null) gave: it is copied and released before a wait. `stop` (may be null):
  // once it is open, waiting for room ends as broken.
  using Pieces = std::array<std::string_view, 3>;
  Task<Failure> Write(Pieces pieces, Body* source, Gate* stop = nullptr);

  // Frames what is written from now on by WriteChunk.
  void BeginContent(const Framing& framing);
  // `out` (a head, or nothing) and behind it the chunk, kBytes or kEnd, in its framing. Content that does not fit the
  // framing is {kEgret, kInternal}, and not written.
  Task<Failure> WriteChunk(std::string out, const Chunk& chunk, Body& source, Gate* stop = nullptr);
  bool content_complete() const { return content_complete_; }

  uint64_t written() const { return written_; }
  uint64_t last_progress_ms() const { return last_progress_ms_; }  // the loop's time

 private:
  bool Put(Pieces& pieces, Failure& failure);
  Task<Failure> WriteRest(std::string rest, Gate* stop);

  Stream& stream_;
  uint64_t ms_;
  Failure broken_, timeout_;
  Framing framing_;
  uint64_t left_ = 0;  // of kLength
  bool content_complete_ = true;
  uint64_t written_ = 0;
  uint64_t last_progress_ms_ = 0;
};

}  // namespace egret
