#include "source/http/http1_body.h"

#include <algorithm>
#include <string>
#include <utility>

#include "source/event/combine.h"

namespace egret {
namespace {

class Http1Body final : public Body {
 public:
  explicit Http1Body(Http1BodyReader& reader) : reader_(reader) {}
  [[clang::coro_wrapper]] Task<Chunk> Read() override { return reader_.Read(); }
  bool Ready() const override { return reader_.Ready(); }
  std::optional<uint64_t> Length() const override { return reader_.Length(); }
  const Trailers* trailers() const override { return reader_.trailers(); }
  void Release() override { reader_.Release(); }

 private:
  Http1BodyReader& reader_;
};

}  // namespace

void Http1BodyReader::Begin(const Framing& framing) {
  framing_ = framing;
  left_ = framing.length;
  decoded_.reset();
  held_ = {};
  decoder_.reset();
  if (framing.kind == Framing::kChunked) decoder_ = std::make_unique<ChunkedDecoder>(limits_.trailer_bytes);
  end_ = framing.kind == Framing::kNone ? End::kComplete : End::kOpen;
  begun_ = false;
}

std::unique_ptr<Body> Http1BodyReader::MakeHandle() {
  if (framing_.kind == Framing::kNone) return nullptr;
  return std::make_unique<Http1Body>(*this);
}

Task<Chunk> Http1BodyReader::Read() {
  for (;;) {
    if (const std::optional<Chunk> chunk = FromHand()) co_return *chunk;
    const Io io = input_.Fill();
    if (io.again()) {
      input_.Park();
      if (limits_.idle_ms == 0) {
        co_await input_.stream().Readable();
      } else if (!co_await GateWithin(input_.stream().ReadGate(), limits_.idle_ms)) {
        co_return Fail(faults_.timeout);
      }
    } else if (io.failed()) {
      co_return Fail(io.error == kSevered ? faults_.ended : faults_.reset);
    } else if (io.end()) {
      if (framing_.kind != Framing::kUntilClose) co_return Fail(faults_.ended);
      end_ = End::kComplete;
    }
  }
}

// What can be given of the bytes at hand.
std::optional<Chunk> Http1BodyReader::FromHand() {
  if (decoded_) return std::exchange(decoded_, std::nullopt);
  if (end_ != End::kOpen) return AtEnd();
  if (input_.unread().empty()) return std::nullopt;
  begun_ = true;
  if (framing_.kind == Framing::kChunked) return TakeChunked();
  std::string_view bytes = input_.unread();
  if (framing_.kind == Framing::kLength) {
    bytes = bytes.substr(0, static_cast<size_t>(std::min<uint64_t>(left_, bytes.size())));
    left_ -= bytes.size();
    if (left_ == 0) end_ = End::kComplete;
  }
  input_.Consume(bytes.size());
  return Chunk{Chunk::kBytes, bytes, {}, complete()};
}

std::optional<Chunk> Http1BodyReader::TakeChunked() {
  const ChunkedDecoder::Step step = decoder_->Decode(input_.unread_bytes());
  input_.Consume(step.used);
  if (decoder_->done()) end_ = End::kComplete;
  if (decoder_->error() != ChunkedDecoder::Error::kNone)
    Fail(decoder_->error() == ChunkedDecoder::Error::kChunk ? faults_.chunk : faults_.trailer);
  if (!step.content.empty()) return Chunk{Chunk::kBytes, step.content, {}, complete()};
  if (end_ != End::kOpen) return AtEnd();
  return std::nullopt;
}

// Bytes at hand of a chunked body may be framing alone: only decoding tells.
bool Http1BodyReader::Ready() {
  if (!decoded_ && framing_.kind == Framing::kChunked) decoded_ = FromHand();
  return decoded_ || end_ != End::kOpen || !input_.unread().empty();
}

void Http1BodyReader::Release() {
  if (decoded_ && decoded_->bytes.data() != held_.data()) {
    held_ = decoded_->bytes;
    decoded_->bytes = held_;
  }
  input_.Park();
}

Chunk Http1BodyReader::Fail(Fault fault) {
  why_ = {faults_.side, fault};
  end_ = End::kFailed;
  return AtEnd();
}

Chunk Http1BodyReader::AtEnd() const {
  if (end_ == End::kFailed) return {Chunk::kFailed, {}, why_};
  return {Chunk::kEnd, {}, {}};
}

std::optional<uint64_t> Http1BodyReader::Length() const {
  if (framing_.kind != Framing::kLength) return std::nullopt;
  return framing_.length;
}

const Trailers* Http1BodyReader::trailers() const { return decoder_ && complete() ? &decoder_->trailers() : nullptr; }

std::optional<uint64_t> Http1BodyReader::Rest() const {
  if (complete()) return 0;
  if (end_ == End::kFailed || framing_.kind == Framing::kUntilClose) return std::nullopt;
  if (framing_.kind == Framing::kLength) return left_;
  // Chunked: known where its end is at hand already.
  ChunkedDecoder ahead = *decoder_;
  std::string copy(input_.unread());
  const ChunkedDecoder::Step step = ahead.Decode(copy);
  if (!ahead.done()) return std::nullopt;
  return step.used;
}

}  // namespace egret
