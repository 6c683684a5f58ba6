#include "source/io/stream_io.h"

#include <errno.h>
#include <sys/socket.h>

#include <algorithm>

#include "source/base/buffer.h"
#include "source/event/combine.h"
#include "source/io/socket_stream.h"

namespace egret {

Task<Io> WriteAll(Stream& to, std::string_view bytes) {
  const size_t total = bytes.size();
  while (!bytes.empty()) {
    const Io io = to.Write(bytes);
    if (io.again()) {
      co_await to.Writable();
    } else if (io.kind == Io::kBytes) {
      bytes.remove_prefix(io.bytes);
    } else {
      co_return io;
    }
  }
  co_return Io{Io::kBytes, total};
}

Task<void> FinishAll(Stream& stream) {
  while (stream.Finish().again()) co_await stream.Writable();
}

namespace {

Task<void> Discard(Stream& stream, size_t left) {
  co_await FinishAll(stream);
  while (left > 0) {
    co_await stream.Readable();
    Buffer buffer;
    const Io io = stream.Read(buffer.span().first(std::min(left, buffer.size())));
    if (io.again()) continue;
    if (io.kind != Io::kBytes) co_return;
    left -= io.bytes;
  }
}

}  // namespace

bool EndedUnread(Stream& stream) {
  const SocketStream* const socket = stream.AsSocket();
  if (socket == nullptr || !stream.PeerDoneGate().open()) return false;
  char byte;
  const ssize_t n = recv(socket->fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

size_t PeekUnread(Stream& stream, std::span<char> into) {
  const SocketStream* const socket = stream.AsSocket();
  if (socket == nullptr) return 0;
  const ssize_t n = recv(socket->fd(), into.data(), into.size(), MSG_PEEK | MSG_DONTWAIT);
  return n > 0 ? static_cast<size_t>(n) : 0;
}

Task<void> LingeringClose(Stream& stream, uint64_t ms, size_t bytes) {
  co_await WithDeadline(Discard(stream, bytes), ms);
}

}  // namespace egret
