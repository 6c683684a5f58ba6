#include "test/support/peer.h"

#include <algorithm>
#include <utility>

#include "source/event/wait.h"
#include "source/io/stream_io.h"

namespace egret {

Task<bool> Peer::Say(std::string bytes) {
  const Io io = co_await WriteAll(*stream_, bytes);
  co_return io.kind == Io::kBytes;
}

Task<bool> Peer::ShakeHands(std::unique_ptr<TlsStream> tls) {
  TlsStream& shaking = *tls;
  stream_ = std::move(tls);
  co_return !co_await shaking.Handshake();
}

Task<bool> Peer::StartTls(const TlsClientContext& context, const std::string& host,
                          const std::vector<std::string>& alpn) {
  return ShakeHands(context.Connect(std::move(stream_), host, alpn));
}

Task<bool> Peer::AnswerTls(const TlsServerContext& context) { return ShakeHands(context.Accept(std::move(stream_))); }

// Some bytes more; false once the other end has ended.
Task<bool> Peer::More() {
  char block[4096];
  const size_t most = pace_ != 0 ? std::min(pace_, sizeof block) : sizeof block;
  while (end_ == End::kNone) {
    if (pace_ != 0) co_await Yield();
    const Io io = stream_->Read({block, most});
    if (io.again()) {
      co_await stream_->Readable();
    } else if (io.kind == Io::kBytes) {
      heard_.append(block, io.bytes);
      co_return true;
    } else {
      end_ = io.end() ? End::kFin : End::kReset;
    }
  }
  co_return false;
}

void Peer::Take(size_t bytes) {
  before_ = at_;
  at_ += bytes;
}

Task<bool> Peer::Hear(size_t bytes) {
  while (heard_.size() - at_ < bytes)
    if (!co_await More()) co_return false;
  Take(bytes);
  co_return true;
}

Task<bool> Peer::HearUntil(std::string mark) {
  size_t found;
  while ((found = heard_.find(mark, at_)) == std::string::npos)
    if (!co_await More()) co_return false;
  Take(found + mark.size() - at_);
  co_return true;
}

Task<bool> Peer::HearHttp(HttpKind kind) {
  for (;;) {
    http_ = ReadHttp(std::string_view(heard_).substr(at_), kind);
    if (http_.complete) break;
    if (!co_await More()) {
      if (!http_.until_end || end_ != End::kFin) co_return false;
      http_ = ReadHttp(std::string_view(heard_).substr(at_), kind);
      break;
    }
  }
  Take(http_.size);
  co_return true;
}

Task<bool> Peer::HearAnswer(HttpKind kind) {
  do {
    if (!co_await HearHttp(kind)) co_return false;
  } while (http_.status() / 100 == 1 && http_.status() != 101);
  co_return true;
}

Task<bool> Peer::HearEnd() {
  while (co_await More()) {
  }
  co_return true;
}

void Peer::Close(bool reset) {
  if (stream_ == nullptr) return;
  if (reset) stream_->Abort();
  stream_.reset();
}

}  // namespace egret
