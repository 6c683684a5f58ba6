#include "source/io/socket_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "source/base/check.h"

namespace egret {
namespace {

size_t Total(std::span<const iovec> pieces) {
  size_t total = 0;
  for (const iovec& piece : pieces) total += piece.iov_len;
  return total;
}

}  // namespace

SocketStream::SocketStream(int fd) : fd_(fd) {
  // A failed watch (out of memory or of watches) leaves open gates, and every call fails: nobody waits in vain.
  if (!Loop::current()->Watch(fd, watch_)) {
    unwatched_ = errno;
    watch_.read.Open();
    watch_.write.Open();
    watch_.gone.Open();
  }
}

SocketStream::~SocketStream() { close(fd_); }

Io SocketStream::Read(std::span<char> into) {
  if (unwatched_ != 0) return {Io::kFailed, 0, unwatched_};
  if (!watch_.read.open()) return {Io::kAgain};
  for (;;) {
    const ssize_t n = recv(fd_, into.data(), into.size(), 0);
    if (n > 0) {
      // A short read drained the socket: the next would only hear EAGAIN. Unless the peer has ended: no event follows
      // its FIN.
      if (static_cast<size_t>(n) < into.size() && !watch_.peer_done.open()) watch_.read.Close();
      return {Io::kBytes, static_cast<size_t>(n)};
    }
    if (n == 0) return {Io::kEnd};
    if (errno == EINTR) continue;
    if (errno == EAGAIN) {
      watch_.read.Close();
      return {Io::kAgain};
    }
    return {Io::kFailed, 0, errno};
  }
}

Io SocketStream::Write(std::span<const iovec> pieces) {
  if (unwatched_ != 0) return {Io::kFailed, 0, unwatched_};
  if (!watch_.write.open()) return {Io::kAgain};
  for (;;) {
    ssize_t n;
    size_t total;
    if (pieces.size() == 1) {
      total = pieces[0].iov_len;
      n = send(fd_, pieces[0].iov_base, total, MSG_NOSIGNAL);
    } else {
      total = Total(pieces);
      msghdr message{};
      message.msg_iov = const_cast<iovec*>(pieces.data());
      message.msg_iovlen = pieces.size();
      n = sendmsg(fd_, &message, MSG_NOSIGNAL);
    }
    if (n >= 0) {
      if (static_cast<size_t>(n) < total) watch_.write.Close();
      return {Io::kBytes, static_cast<size_t>(n)};
    }
    if (errno == EINTR) continue;
    if (errno == EAGAIN) {
      watch_.write.Close();
      return {Io::kAgain};
    }
    return {Io::kFailed, 0, errno};
  }
}

Io SocketStream::SpliceOut(int pipe, size_t most) {
  if (unwatched_ != 0) return {Io::kFailed, 0, unwatched_};
  if (!watch_.read.open()) return {Io::kAgain};
  for (;;) {
    const ssize_t n = splice(fd_, nullptr, pipe, nullptr, most, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    if (n > 0) return {Io::kBytes, static_cast<size_t>(n)};  // less than `most` says nothing: the pipe has slots
    if (n == 0) return {Io::kEnd};
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return {Io::kFailed, 0, errno};
    watch_.read.Close();
    return {Io::kAgain};
  }
}

Io SocketStream::SpliceIn(int pipe, size_t bytes) {
  if (unwatched_ != 0) return {Io::kFailed, 0, unwatched_};
  if (!watch_.write.open()) return {Io::kAgain};
  for (;;) {
    const ssize_t n = splice(pipe, nullptr, fd_, nullptr, bytes, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    if (n > 0) return {Io::kBytes, static_cast<size_t>(n)};
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno != EAGAIN) return {Io::kFailed, 0, errno};
    watch_.write.Close();
    return {Io::kAgain};
  }
}

Io SocketStream::Finish() {
  shutdown(fd_, SHUT_WR);
  return {Io::kEnd};
}

void SocketStream::Abort() {
  const linger reset{1, 0};  // close() then sends RST
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
}

int SocketStream::TakeError() {
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
  return error != 0 ? error : unwatched_;
}

}  // namespace egret
