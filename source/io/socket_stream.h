// A connected socket as a Stream. It owns the descriptor and is watched from its making to its end.
#pragma once

#include "source/event/loop.h"
#include "source/io/stream.h"

namespace egret {

class SocketStream final : public Stream {
 public:
  // Takes the descriptor (non-blocking). Only after connect() was called on it: before, epoll says hang-up.
  explicit SocketStream(int fd);
  ~SocketStream() override;

  Io Read(std::span<char> into) override;
  Io Write(std::span<const iovec> pieces) override;
  Io Finish() override;
  void Abort() override;
  Gate& ReadGate() override { return watch_.read; }
  Gate& WriteGate() override { return watch_.write; }
  Gate& GoneGate() override { return watch_.gone; }
  Gate& PeerDoneGate() override { return watch_.peer_done; }
  SocketStream* AsSocket() override { return this; }

  int fd() const { return fd_; }
  // Read and Write by splice(2): between the socket and a pipe, never through user space. The pipe given to SpliceOut
  // is empty. SIGPIPE must be ignored (splice knows no MSG_NOSIGNAL).
  Io SpliceOut(int pipe, size_t most);
  Io SpliceIn(int pipe, size_t bytes);

  int TakeError();  // SO_ERROR, cleared by reading it; or why it could not be watched

 private:
  int fd_;
  int unwatched_ = 0;  // why epoll did not take it
  FdWatch watch_;
};

}  // namespace egret
