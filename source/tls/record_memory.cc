#include "source/tls/record_memory.h"

#include <malloc.h>
#include <openssl/crypto.h>
#include <openssl/ssl3.h>

#include <array>
#include <cstddef>
#include <cstdlib>

#include "source/base/sanitizer.h"

namespace egret {
#ifndef EGRET_ASAN
namespace {

constexpr size_t kLeast = SSL3_RT_MAX_PLAIN_LENGTH;
constexpr size_t kBlock = kLeast + 1024;  // more than the library wants for a record of either direction
constexpr size_t kRounding = 64;          // a heap's block may be that much larger than it was asked for

// One is in use at a time, and another where TLS is within TLS.
class Kept {
 public:
  ~Kept() {
    while (count_ > 0) std::free(blocks_[--count_]);
    most_ = 0;  // the library may still free something for this thread
  }
  void* Take() { return count_ > 0 ? blocks_[--count_] : std::malloc(kBlock); }
  void GiveBack(void* block) {
    if (count_ < most_) {
      blocks_[count_++] = block;
    } else {
      std::free(block);
    }
  }

 private:
  std::array<void*, 4> blocks_{};
  size_t count_ = 0;
  size_t most_ = blocks_.size();
};

constinit thread_local Kept kept;

void* Allocate(size_t size, const char*, int) {
  return size >= kLeast && size <= kBlock ? kept.Take() : std::malloc(size);
}

void* Reallocate(void* block, size_t size, const char*, int) { return std::realloc(block, size); }

// Whatever a block was got for, its size says what it can serve for.
void Free(void* block, const char*, int) {
  const size_t size = malloc_usable_size(block);
  if (size >= kBlock && size < kBlock + kRounding) {
    kept.GiveBack(block);
  } else {
    std::free(block);
  }
}

}  // namespace

void KeepRecordMemory() { CRYPTO_set_mem_functions(Allocate, Reallocate, Free); }
#else
void KeepRecordMemory() {}
#endif
}  // namespace egret
