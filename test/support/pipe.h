// Two streams joined in memory, with bounded room and injectable ends: the sockets of unit tests.
#pragma once

#include <errno.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "source/io/stream.h"

namespace egret {

class PipeStream final : public Stream {
 public:
  // One direction. A test that keeps it can look at what is in flight and break it.
  struct Half {
    explicit Half(size_t bytes) : room(bytes) {}
    std::string bytes;
    size_t room;
    bool ended = false;  // FIN
    bool reset = false;  // RST
    bool deaf = false;   // the reader is gone
    Gate readable{false}, writable{true};
  };

  static std::pair<std::unique_ptr<PipeStream>, std::unique_ptr<PipeStream>> Pair(size_t room = 65536) {
    auto ab = std::make_shared<Half>(room);
    auto ba = std::make_shared<Half>(room);
    auto a = std::make_unique<PipeStream>(ba, ab);
    auto b = std::make_unique<PipeStream>(ab, ba);
    a->peer_gates_ = b->own_gates_;
    b->peer_gates_ = a->own_gates_;
    return {std::move(a), std::move(b)};
  }

  PipeStream(std::shared_ptr<Half> in, std::shared_ptr<Half> out)
      : in_(std::move(in)), out_(std::move(out)), own_gates_(std::make_shared<Gates>()) {}
  ~PipeStream() override {
    const bool unread = !in_->bytes.empty();
    in_->deaf = true;
    in_->writable.Open();
    if (aborted_ || unread) {
      Reset();
    } else {
      Finish();
    }
  }

  using Stream::Write;
  Io Read(std::span<char> into) override {
    if (in_->reset) return {Io::kFailed, 0, ECONNRESET};
    if (in_->bytes.empty()) {
      if (in_->ended) return {Io::kEnd};
      in_->readable.Close();
      return {Io::kAgain};
    }
    const size_t n = std::min(into.size(), in_->bytes.size());
    std::memcpy(into.data(), in_->bytes.data(), n);
    in_->bytes.erase(0, n);
    in_->writable.Open();
    return {Io::kBytes, n};
  }
  Io Write(std::span<const iovec> pieces) override {
    if (in_->reset || out_->deaf || out_->ended) return {Io::kFailed, 0, EPIPE};
    size_t written = 0;
    for (const iovec& piece : pieces) {
      const size_t n = std::min(piece.iov_len, out_->room - std::min(out_->room, out_->bytes.size()));
      out_->bytes.append(static_cast<const char*>(piece.iov_base), n);
      written += n;
      if (n < piece.iov_len) break;
    }
    if (written == 0) {
      out_->writable.Close();
      return {Io::kAgain};
    }
    out_->readable.Open();
    return {Io::kBytes, written};
  }
  Io Finish() override {
    if (!out_->ended) {
      out_->ended = true;
      out_->readable.Open();
      peer_gates_->done.Open();
    }
    return {Io::kEnd};
  }
  void Abort() override { aborted_ = true; }
  // RST at once, as a peer's kernel would.
  void Reset() {
    out_->reset = true;
    out_->readable.Open();
    in_->writable.Open();
    peer_gates_->done.Open();
    peer_gates_->gone.Open();
    out_->writable.Open();
  }
  Gate& ReadGate() override { return in_->readable; }
  Gate& WriteGate() override { return out_->writable; }
  Gate& GoneGate() override { return own_gates_->gone; }
  Gate& PeerDoneGate() override { return own_gates_->done; }

  Half& in() { return *in_; }
  Half& out() { return *out_; }

 private:
  struct Gates {
    Gate gone{false}, done{false};
  };
  std::shared_ptr<Half> in_, out_;
  std::shared_ptr<Gates> own_gates_, peer_gates_;
  bool aborted_ = false;
};

}  // namespace egret
