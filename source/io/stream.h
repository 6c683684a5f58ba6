// Stream: every two-way byte stream, be it a socket, decrypted TLS, an HTTP/2 tunnel or a test's pipe. Readiness-based:
// no call blocks; after kAgain wait for the gate and call again. It knows no descriptor, certificate or address.
// Single-threaded.
#pragma once

#include <errno.h>
#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "source/event/wait.h"

namespace egret {

// The error of a read where the stream below ended and this one had not said that it would (TLS: a FIN and no
// close_notify): what came may be cut short.
inline constexpr int kSevered = ENOLINK;

struct Io {
  enum Kind : uint8_t {
    kBytes,   // some were moved (`bytes`, at least one)
    kAgain,   // none can be moved now
    kEnd,     // Read: the peer ended its side in order. Finish: said and done
    kFailed,  // the stream is broken; `error` says how
  } kind;
  size_t bytes = 0;
  int error = 0;  // an errno where one is known; ECONNRESET for a reset, kSevered for an end unannounced

  bool again() const { return kind == kAgain; }
  bool end() const { return kind == kEnd; }
  bool failed() const { return kind == kFailed; }
};

class SocketStream;

class Stream {
 public:
  Stream() = default;
  virtual ~Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  virtual Io Read(std::span<char> into) = 0;
  // Gathers; may take part of it. A write that was refused with kAgain is repeated with the same bytes first.
  virtual Io Write(std::span<const iovec> pieces) = 0;
  Io Write(std::string_view bytes) {
    const iovec piece{const_cast<char*>(bytes.data()), bytes.size()};
    return Write(std::span(&piece, 1));
  }
  // No more writes will come: FIN, close_notify, END_STREAM. On kAgain wait for Writable() and call again.
  virtual Io Finish() = 0;
  // Ends both ways without ceremony, at destruction at the latest: RST where the kind has one.
  virtual void Abort() = 0;

  virtual Gate& ReadGate() = 0;      // Read may give something
  virtual Gate& WriteGate() = 0;     // Write may take something
  virtual Gate& GoneGate() = 0;      // no byte can be delivered to the peer any more; never reads to find out
  virtual Gate& PeerDoneGate() = 0;  // the peer will send nothing more (FIN); bytes before it may be unread

  GateAwaiter Readable() { return GateAwaiter(ReadGate()); }
  GateAwaiter Writable() { return GateAwaiter(WriteGate()); }

  // The socket that this stream is, with nothing in between; null for all other kinds. Only source/io may ask.
  virtual SocketStream* AsSocket() { return nullptr; }
};

}  // namespace egret
