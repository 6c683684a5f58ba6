#include "source/http/http2_stream.h"

#include <errno.h>

#include <utility>
#include <variant>

#include "source/event/combine.h"
#include "source/event/wait.h"
#include "source/http/http2_session.h"

namespace egret {
namespace {

constexpr int kChunksInOneTurn = 16;
constexpr Failure kBadContent{Side::kEgret, Fault::kInternal};

class Http2Body final : public Body {
 public:
  Http2Body(Http2Stream& stream, std::optional<uint64_t> length, uint64_t idle_ms, Failure timeout)
      : stream_(stream), length_(length), idle_ms_(idle_ms), timeout_(timeout) {}

  Task<Chunk> Read() override {
    DropGiven();
    for (;;) {
      if (failure_) co_return Chunk{Chunk::kFailed, {}, failure_};
      if (stream_.why) {
        failure_ = stream_.why;
        continue;
      }
      if (!stream_.inbox.empty()) co_return Give();
      if (stream_.ended) co_return Chunk{Chunk::kEnd, {}, {}};
      stream_.readable.Close();
      if (idle_ms_ == 0) {
        co_await GateAwaiter(stream_.readable);
      } else if (!co_await GateWithin(stream_.readable, idle_ms_)) {
        failure_ = timeout_;
      }
    }
  }
  bool Ready() const override { return stream_.ended || stream_.why || stream_.inbox.size() > given_; }
  std::optional<uint64_t> Length() const override { return length_; }
  const Trailers* trailers() const override {
    return stream_.ended && !stream_.trailers.empty() ? &stream_.trailers : nullptr;
  }

 private:
  // The peer may send so much more, now that somebody is done with it.
  void DropGiven() {
    const size_t bytes = std::exchange(given_, 0);
    if (bytes == 0 || stream_.why) return;  // what was broken off holds nothing any more
    stream_.inbox.Drop(bytes);
    if (stream_.session != nullptr) stream_.session->Took(stream_, bytes);
  }
  Chunk Give() {
    const std::string_view bytes = stream_.inbox.front();
    given_ = bytes.size();
    return {Chunk::kBytes, bytes, {}, stream_.ended && given_ == stream_.inbox.size()};
  }

  Http2Stream& stream_;
  std::optional<uint64_t> length_;
  uint64_t idle_ms_;
  Failure timeout_;
  Failure failure_;
  size_t given_ = 0;  // at the inbox's front, in the reader's hands
};

class Http2Tunnel final : public Stream {
 public:
  Http2Tunnel(Http2StreamPtr stream, Http2Code broken) : stream_(std::move(stream)), broken_(broken) {}
  ~Http2Tunnel() override {
    if (!stream_->inbox.empty()) Abort();
    if (stream_->why || stream_->session == nullptr) return;
    stream_->session->PutEnd(*stream_);
  }

  using Stream::Write;
  Io Read(std::span<char> into) override {
    if (stream_->why) return {Io::kFailed, 0, ECONNRESET};
    size_t taken = 0;
    while (taken < into.size() && !stream_->inbox.empty()) {
      const std::string_view piece = stream_->inbox.front().substr(0, into.size() - taken);
      std::copy(piece.begin(), piece.end(), into.data() + taken);
      taken += piece.size();
      stream_->inbox.Drop(piece.size());
    }
    if (taken > 0) {
      if (stream_->session != nullptr) stream_->session->Took(*stream_, taken);
      return {Io::kBytes, taken};
    }
    if (stream_->ended) return {Io::kEnd};
    stream_->readable.Close();
    return {Io::kAgain};
  }
  Io Write(std::span<const iovec> pieces) override {
    if (stream_->why || !stream_->open) return {Io::kFailed, 0, ECONNRESET};
    if (stream_->end_put) return {Io::kFailed, 0, EPIPE};
    size_t written = 0;
    for (const iovec& piece : pieces) {
      const size_t put = stream_->session->Put(*stream_, {static_cast<const char*>(piece.iov_base), piece.iov_len});
      written += put;
      if (put < piece.iov_len) break;
    }
    if (written > 0) return {Io::kBytes, written};
    return {Io::kAgain};
  }
  Io Finish() override {
    if (stream_->why || !stream_->open) return {Io::kFailed, 0, ECONNRESET};
    stream_->session->PutEnd(*stream_);
    return {Io::kEnd};
  }
  void Abort() override {
    if (stream_->session != nullptr) stream_->session->Reset(*stream_, broken_, {Side::kEgret, Fault::kConnectReset});
  }
  Gate& ReadGate() override { return stream_->readable; }
  Gate& WriteGate() override { return stream_->writable; }
  Gate& GoneGate() override { return stream_->gone; }
  Gate& PeerDoneGate() override { return stream_->peer_done; }

 private:
  Http2StreamPtr stream_;
  Http2Code broken_;
};

}  // namespace

void Http2LetGo::operator()(Http2Stream* stream) const {
  if (stream->session != nullptr) {
    stream->session->LetGo(*stream);
  } else {
    delete stream;
  }
}

std::unique_ptr<Body> MakeHttp2Body(Http2Stream& stream, std::optional<uint64_t> length, uint64_t idle_ms,
                                    Failure timeout) {
  return std::make_unique<Http2Body>(stream, length, idle_ms, timeout);
}

std::unique_ptr<Stream> MakeHttp2Tunnel(Http2StreamPtr stream, Http2Code broken) {
  return std::make_unique<Http2Tunnel>(std::move(stream), broken);
}

Task<Failure> Http2Upload::Put(const Chunk& chunk, Body& source) {
  std::string_view bytes = chunk.kind == Chunk::kBytes ? chunk.bytes : std::string_view();
  const bool last = chunk.kind == Chunk::kEnd || chunk.last;
  if (left_) {
    if (bytes.size() > *left_ || (last && bytes.size() < *left_)) co_return kBadContent;
    *left_ -= bytes.size();
  }
  std::string rest;  // while it waits it holds what is left itself, so that a borrowed buffer is back
  bool copied = false;
  for (;;) {
    if (!stream_.open || stream_.why) co_return stream_.why ? stream_.why : kBadContent;
    bytes.remove_prefix(stream_.session->Put(stream_, bytes));
    if (bytes.empty()) break;
    if (!std::exchange(copied, true)) {
      rest = bytes;
      bytes = rest;
      source.Release();
    }
    co_await GateAwaiter(stream_.writable);
  }
  if (last) {
    if (const Trailers* trailers = source.trailers()) stream_.send_trailers = *trailers;
    stream_.session->PutEnd(stream_);
  }
  co_return Failure{};
}

Task<Failure> Http2Upload::Rest(Body& body, bool* stopped) {
  for (int chunks = 1; !stream_.end_put; ++chunks) {
    Chunk chunk{};
    bool given = !stream_.gone.open() && body.Ready();
    if (given) {
      chunk = co_await body.Read();
    } else if (!stream_.gone.open()) {
      const auto first = co_await Race(body.Read(), stream_.gone);
      given = first.index() == 0;
      if (given) chunk = std::get<0>(first);
    }
    if (given && chunk.kind == Chunk::kFailed) co_return chunk.why;
    const Failure failure = given ? co_await Put(chunk, body) : stream_.why;
    if (!given || failure) {
      if (stopped != nullptr) *stopped = true;
      co_return failure;
    }
    if (chunks % kChunksInOneTurn == 0) co_await Yield();
  }
  co_return Failure{};
}

}  // namespace egret
