#include "source/http/byte_queue.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "source/base/check.h"
#include "source/base/frame_pool.h"

namespace egret {
namespace {

constexpr size_t kLargestBlock = size_t{16} << 10;

}  // namespace

void ByteQueue::AddBlock(size_t capacity) {
  auto* const block = new (FramePool::Get(sizeof(Block) + capacity)) Block{nullptr, capacity, 0, 0};
  (last_ != nullptr ? last_->next : first_) = block;
  last_ = block;
}

void ByteQueue::DropFirst() {
  Block* const block = first_;
  first_ = block->next;
  if (first_ == nullptr) last_ = nullptr;
  FramePool::Put(block, sizeof(Block) + block->capacity);
}

void ByteQueue::Append(std::string_view bytes) {
  while (!bytes.empty()) {
    if (last_ == nullptr || last_->end == last_->capacity) {
      // The first block fits; where more comes, fewer and larger ones follow.
      const size_t wanted = last_ == nullptr ? bytes.size() : std::max(bytes.size(), 2 * last_->capacity);
      AddBlock(std::min(wanted, kLargestBlock));
    }
    const size_t n = std::min(bytes.size(), last_->capacity - last_->end);
    std::memcpy(last_->bytes() + last_->end, bytes.data(), n);
    last_->end += n;
    size_ += n;
    bytes.remove_prefix(n);
  }
}

std::string_view ByteQueue::front() const {
  if (first_ == nullptr) return {};
  return {first_->bytes() + first_->begin, first_->end - first_->begin};
}

void ByteQueue::Drop(size_t bytes) {
  CHECK(bytes <= size_);
  size_ -= bytes;
  while (bytes > 0) {
    const size_t n = std::min(bytes, first_->end - first_->begin);
    first_->begin += n;
    bytes -= n;
    if (first_->begin == first_->end) DropFirst();
  }
}

void ByteQueue::Clear() {
  while (first_ != nullptr) DropFirst();
  size_ = 0;
}

}  // namespace egret
