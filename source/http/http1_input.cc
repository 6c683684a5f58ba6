#include "source/http/http1_input.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace egret {

void Http1Input::Consume(size_t bytes) {
  begin_ += bytes;
  consumed_ += bytes;
}

Io Http1Input::Fill() {
  if (!stream_.ReadGate().open()) return {Io::kAgain};  // before a buffer is borrowed in vain
  if (begin_ == end_) {
    begin_ = end_ = 0;
    if (block_ || (buffer_ && buffer_->size() < BufferSize())) Park();
  }
  if (end_ == capacity_) MakeRoom();
  const size_t room = capacity_ - end_;
  const Io io = stream_.Read({base_ + end_, room});
  if (io.kind != Io::kBytes) return io;
  end_ += io.bytes;
  full_reads_ = io.bytes >= std::min(room, Buffer::kSmall) ? full_reads_ + 1 : 0;
  return io;
}

void Http1Input::MoveTo(char* to, size_t capacity) {
  const size_t size = end_ - begin_;
  if (size > 0) std::memmove(to, base_ + begin_, size);
  base_ = to;
  capacity_ = capacity;
  begin_ = 0;
  end_ = size;
}

void Http1Input::MakeRoom() {
  const size_t size = end_ - begin_;
  if (size <= Buffer::kSmall / 2) {
    if (!buffer_) buffer_.emplace(BufferSize());
    MoveTo(buffer_->data(), buffer_->size());
    block_.reset();
  } else {
    // A head larger than a buffer; the codec's limit bounds it.
    std::unique_ptr<char[]> larger(new char[2 * size]);
    MoveTo(larger.get(), 2 * size);
    block_ = std::move(larger);
    buffer_.reset();
  }
}

void Http1Input::Park() {
  const size_t size = end_ - begin_;
  if (size > 0) full_reads_ = 0;
  if (size == 0) {
    block_.reset();
    buffer_.reset();
    base_ = nullptr;
    capacity_ = begin_ = end_ = 0;
  } else if (buffer_) {
    block_.reset(new char[size]);
    MoveTo(block_.get(), size);
    buffer_.reset();
  }
}

void Http1Input::ParkIfSmall() {
  constexpr size_t kSmall = 2048;
  if (unread().size() <= kSmall) Park();
}

std::string Http1Input::TakeUnread() {
  std::string taken(unread());
  begin_ = end_;
  Park();
  return taken;
}

}  // namespace egret
