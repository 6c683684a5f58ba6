#include "source/http/byte_queue.h"

#include <algorithm>
#include <cstring>

#include "source/base/check.h"

namespace egret {
namespace {

constexpr size_t kLargestBlock = size_t{16} << 10;

}  // namespace

void ByteQueue::Append(std::string_view bytes) {
  while (!bytes.empty()) {
    if (blocks_.empty() || blocks_.back().end == blocks_.back().capacity) {
      // The first block fits; where more comes, fewer and larger ones follow.
      const size_t wanted = blocks_.empty() ? bytes.size() : std::max(bytes.size(), 2 * blocks_.back().capacity);
      const size_t capacity = std::min(wanted, kLargestBlock);
      blocks_.push_back({std::unique_ptr<char[]>(new char[capacity]), capacity, 0, 0});
    }
    Block& last = blocks_.back();
    const size_t n = std::min(bytes.size(), last.capacity - last.end);
    std::memcpy(last.bytes.get() + last.end, bytes.data(), n);
    last.end += n;
    size_ += n;
    bytes.remove_prefix(n);
  }
}

std::string_view ByteQueue::front() const {
  if (blocks_.empty()) return {};
  const Block& first = blocks_.front();
  return {first.bytes.get() + first.begin, first.end - first.begin};
}

void ByteQueue::Drop(size_t bytes) {
  CHECK(bytes <= size_);
  size_ -= bytes;
  while (bytes > 0) {
    Block& first = blocks_.front();
    const size_t n = std::min(bytes, first.end - first.begin);
    first.begin += n;
    bytes -= n;
    if (first.begin == first.end) blocks_.pop_front();
  }
}

void ByteQueue::Clear() {
  blocks_.clear();
  size_ = 0;
}

}  // namespace egret
