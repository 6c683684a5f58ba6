// Reads one message's content from a codec's input. The state lives in the codec; the Body that a caller gets is a
// handle, which may be destroyed before the content was read.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "source/http/body.h"
#include "source/http/chunked.h"
#include "source/http/framing.h"
#include "source/http/http1_input.h"

namespace egret {

class Http1BodyReader {
 public:
  // How the side that is read from is blamed.
  struct Faults {
    Side side;
    Fault ended;  // its FIN came inside the content
    Fault reset;
    Fault timeout;  // no byte within `idle_ms`
    Fault chunk;
    Fault trailer;
  };
  struct Limits {
    uint64_t idle_ms;  // 0: none
    size_t trailer_bytes;
  };

  // The faults are somebody's constant.
  Http1BodyReader(Http1Input& input, const Faults& faults, const Limits& limits)
      : input_(input), faults_(faults), limits_(limits) {}

  // A new message, whose content begins where the input stands.
  void Begin(const Framing& framing);
  // A handle on it; null where there is no content. Borrows this reader.
  std::unique_ptr<Body> MakeHandle();

  Task<Chunk> Read();
  bool Ready();
  std::optional<uint64_t> Length() const;
  const Trailers* trailers() const;
  void Release();

  // Its end has been read from the wire; also where there is no content.
  bool complete() const { return end_ == End::kComplete; }
  bool failed() const { return end_ == End::kFailed; }
  // Whether the peer has sent any of it.
  bool arrived() const { return begun_ || !input_.unread().empty(); }
  // How much of it is still to be read, if that is known.
  std::optional<uint64_t> Rest() const;

 private:
  enum class End : uint8_t { kOpen, kComplete, kFailed };
  std::optional<Chunk> FromHand();
  std::optional<Chunk> TakeChunked();
  Chunk Fail(Fault fault);
  Chunk AtEnd() const;

  Http1Input& input_;
  const Faults& faults_;
  Limits limits_;
  Framing framing_;
  uint64_t left_ = 0;                        // of kLength
  std::optional<Chunk> decoded_;             // by Ready(), not yet given
  std::string held_;                         // its bytes, once the buffer went back
  std::unique_ptr<ChunkedDecoder> decoder_;  // only while the content is chunked
  Failure why_;
  End end_ = End::kComplete;
  bool begun_ = false;
};

}  // namespace egret
