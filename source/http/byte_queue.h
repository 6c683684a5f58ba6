// Bytes between two tasks, in blocks of the size that is needed: small messages cost small blocks, and what comes a
// byte at a time is put together.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <string_view>

namespace egret {

class ByteQueue {
 public:
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  void Append(std::string_view bytes);
  // The first ones, as many as lie together; they stay where they are until they are dropped, whatever is appended.
  std::string_view front() const;
  void Drop(size_t bytes);  // at most size()
  void Clear();

 private:
  struct Block {
    std::unique_ptr<char[]> bytes;
    size_t capacity = 0, begin = 0, end = 0;
  };
  std::deque<Block> blocks_;
  size_t size_ = 0;
};

}  // namespace egret
