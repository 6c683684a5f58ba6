// The bytes that an HTTP/1 codec has received and not yet used. They sit in a borrowed buffer while they are worked on,
// and in a block of their exact size while somebody waits; an idle connection holds neither.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "source/base/buffer.h"
#include "source/io/stream.h"

namespace egret {

class Http1Input {
 public:
  explicit Http1Input(Stream& stream) : stream_(stream) {}

  Stream& stream() { return stream_; }
  std::string_view unread() const { return {base_ + begin_, end_ - begin_}; }
  std::span<char> unread_bytes() { return {base_ + begin_, end_ - begin_}; }
  // They stay where they are until the next Fill, Park or TakeUnread.
  void Consume(size_t bytes);
  uint64_t consumed() const { return consumed_; }

  // Reads once, behind what is unread; makes room first.
  Io Fill();
  // "I shall wait": the buffer goes back, what is unread moves to an exact block.
  void Park();
  // Park, if little would have to be copied: for a pause of unknown length.
  void ParkIfSmall();
  // All that is unread, for whoever takes the stream over.
  std::string TakeUnread();

 private:
  void MakeRoom();
  size_t BufferSize() const { return full_reads_ >= kFullReadsOfBulk ? Buffer::kLarge : Buffer::kSmall; }
  void MoveTo(char* to, size_t capacity);

  Stream& stream_;
  std::optional<Buffer> buffer_;
  std::unique_ptr<char[]> block_;  // instead of the buffer: parked bytes, or a head larger than a buffer
  char* base_ = nullptr;           // of whichever is in use
  size_t capacity_ = 0;
  size_t begin_ = 0;
  size_t end_ = 0;
  uint64_t consumed_ = 0;
  // Reads in a row that gave a small buffer's worth or more: content that comes faster than it is taken is read in
  // large pieces. A pause ends it, since a slow reader must not hold large buffers.
  static constexpr int kFullReadsOfBulk = 2;
  int full_reads_ = 0;
};

}  // namespace egret
