#include "source/http/http1_output.h"

#include <utility>

#include "source/event/combine.h"
#include "source/event/loop.h"
#include "source/http/serialize.h"

namespace egret {
namespace {

// Content up to this size is copied behind its head: cheaper than a gathering write.
constexpr size_t kCopied = 4096;

// True: there may be room. False: `stop` opened first.
Task<bool> RoomOr(Stream& stream, Gate& stop) {
  co_await Race(stream.WriteGate(), stop);
  co_return stream.WriteGate().open();
}

constexpr Failure kBadContent{Side::kEgret, Fault::kInternal};

}  // namespace

// True: it is over, with `failure` saying how. False: the stream takes no more now; `pieces` is what is left.
bool Http1Output::Put(Pieces& pieces, Failure& failure) {
  for (;;) {
    std::array<iovec, 3> vector;
    size_t count = 0;
    for (const std::string_view piece : pieces)
      if (!piece.empty()) vector[count++] = {const_cast<char*>(piece.data()), piece.size()};
    if (count == 0) return true;
    const Io io = stream_.Write(std::span<const iovec>(vector.data(), count));
    if (io.again()) return false;
    if (io.kind != Io::kBytes) {
      failure = broken_;
      return true;
    }
    written_ += io.bytes;
    last_progress_ms_ = Loop::current()->now_ms();
    size_t taken = io.bytes;
    for (std::string_view& piece : pieces) {
      const size_t n = std::min(taken, piece.size());
      piece.remove_prefix(n);
      taken -= n;
    }
  }
}

Task<Failure> Http1Output::Write(Pieces pieces, Body* source, Gate* stop) {
  Failure failure;
  if (Put(pieces, failure)) co_return failure;
  std::string rest;
  for (const std::string_view piece : pieces) rest.append(piece);
  if (source != nullptr) source->Release();
  co_return co_await WriteRest(std::move(rest), stop);
}

Task<Failure> Http1Output::WriteRest(std::string rest, Gate* stop) {
  Pieces pieces{rest};
  Failure failure;
  do {
    if (stop != nullptr) {
      const std::optional<bool> room = co_await WithDeadline(RoomOr(stream_, *stop), ms_);
      if (!room) co_return timeout_;
      if (!*room) co_return broken_;
    } else if (!co_await GateWithin(stream_.WriteGate(), ms_)) {
      co_return timeout_;
    }
  } while (!Put(pieces, failure));
  co_return failure;
}

void Http1Output::BeginContent(const Framing& framing) {
  framing_ = framing;
  left_ = framing.length;
  content_complete_ = framing.kind == Framing::kNone || (framing.kind == Framing::kLength && left_ == 0);
}

Task<Failure> Http1Output::WriteChunk(std::string out, const Chunk& chunk, Body& source, Gate* stop) {
  const bool chunked = framing_.kind == Framing::kChunked;
  const bool counted = framing_.kind == Framing::kLength;
  std::string_view bytes = chunk.kind == Chunk::kBytes ? chunk.bytes : std::string_view();
  bool last = chunk.kind == Chunk::kEnd || chunk.last;
  if (counted) {
    if (bytes.size() > left_ || (last && bytes.size() < left_)) co_return kBadContent;
    left_ -= bytes.size();
    last = left_ == 0;
  }
  std::string_view tail;
  std::string last_chunk;
  if (chunked && !bytes.empty()) {
    AppendChunkSize(out, bytes.size());
    tail = kChunkEnd;
  }
  if (bytes.size() <= kCopied) {
    out.append(bytes).append(tail);
    bytes = tail = {};
    if (chunked && last) AppendLastChunk(out, source.trailers());
  } else if (chunked && last) {
    last_chunk = tail;
    AppendLastChunk(last_chunk, source.trailers());
    tail = last_chunk;
  }
  const Failure failure = co_await Write({out, bytes, tail}, &source, stop);
  if (!failure && last) content_complete_ = true;
  co_return failure;
}

}  // namespace egret
