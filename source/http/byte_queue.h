// Bytes between two tasks, in blocks of the size that is needed: small messages cost small blocks, and what comes a
// byte at a time is put together.
#pragma once

#include <cstddef>
#include <string_view>

namespace egret {

class ByteQueue {
 public:
  ByteQueue() = default;
  ByteQueue(const ByteQueue&) = delete;
  ByteQueue& operator=(const ByteQueue&) = delete;
  ~ByteQueue() { Clear(); }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  void Append(std::string_view bytes);
  // The first ones, as many as lie together; they stay where they are until they are dropped, whatever is appended.
  std::string_view front() const;
  void Drop(size_t bytes);  // at most size()
  void Clear();

 private:
  // Its bytes lie behind it, in the same allocation: an empty queue has none, a short message one.
  struct Block {
    char* bytes() { return reinterpret_cast<char*>(this + 1); }
    Block* next;
    size_t capacity, begin, end;
  };
  void AddBlock(size_t capacity);
  void DropFirst();

  Block* first_ = nullptr;
  Block* last_ = nullptr;
  size_t size_ = 0;
};

}  // namespace egret
