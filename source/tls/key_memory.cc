#include "source/tls/key_memory.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <new>

#include "source/base/sanitizer.h"

namespace egret {
namespace {

// Pieces of 2^n bytes; those that were given back are taken again, and pages that were never taken cost nothing.
class Pages {
 public:
  bool Reserve() {
    void* const pages =
        mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (pages == MAP_FAILED) return false;
    if (madvise(pages, kBytes, MADV_DONTDUMP) != 0) {
      munmap(pages, kBytes);
      return false;
    }
    madvise(pages, kBytes, MADV_NOHUGEPAGE);  // a few pages are enough; where there are no huge ones it fails
    begin_ = next_ = static_cast<std::byte*>(pages);
    return true;
  }

  // Of any thread, without a lock: where they are does not change.
  bool Has(const void* memory) const {
    return reinterpret_cast<uintptr_t>(memory) - reinterpret_cast<uintptr_t>(begin_) < kBytes;
  }
  static size_t SizeOf(const void* memory) { return (size_t{1} << HeadOf(memory)->order) - sizeof(Head); }

  // Null: there is no more, or it is too much for one piece.
  void* Take(size_t bytes) {
    const size_t order = std::max(kLeastOrder, static_cast<size_t>(std::bit_width(bytes + sizeof(Head) - 1)));
    if (bytes > kBytes || order > kMostOrder) return nullptr;
    const std::lock_guard lock(mutex_);
    Head* head = free_[order];
    if (head != nullptr) {
      free_[order] = head->next;
    } else {
      const size_t size = size_t{1} << order;
      if (begin_ == nullptr || static_cast<size_t>(begin_ + kBytes - next_) < size) return nullptr;
      head = new (next_) Head{order, nullptr};
      next_ += size;
    }
    return head + 1;
  }

  void GiveBack(void* memory) {
    OPENSSL_cleanse(memory, SizeOf(memory));
    Head* const head = HeadOf(memory);
    const std::lock_guard lock(mutex_);
    head->next = free_[head->order];
    free_[head->order] = head;
  }

 private:
  struct alignas(std::max_align_t) Head {
    size_t order;
    Head* next;  // while it is not taken
  };
  static constexpr size_t kBytes = size_t{16} << 20;
  static constexpr size_t kLeastOrder = 5, kMostOrder = 18;

  static Head* HeadOf(void* memory) { return static_cast<Head*>(memory) - 1; }
  static const Head* HeadOf(const void* memory) { return static_cast<const Head*>(memory) - 1; }

  std::byte* begin_ = nullptr;
  std::byte* next_ = nullptr;
  std::array<Head*, kMostOrder + 1> free_{};
  std::mutex mutex_;
};

void* PlainAllocate(size_t bytes, const char*, int) { return std::malloc(bytes); }
void* PlainReallocate(void* memory, size_t bytes, const char*, int) { return std::realloc(memory, bytes); }
void PlainFree(void* memory, const char*, int) { std::free(memory); }

struct Functions {
  CRYPTO_malloc_fn allocate;
  CRYPTO_realloc_fn reallocate;
  CRYPTO_free_fn free;
};

// For what is no key. Whoever gave the library functions before is asked as before.
constinit Functions others{PlainAllocate, PlainReallocate, PlainFree};

[[maybe_unused]] void TakeOthers() {
  Functions found{};
  CRYPTO_get_mem_functions(&found.allocate, &found.reallocate, &found.free);
  if (found.allocate != CRYPTO_malloc) others = found;  // that one would ask us again
}

// Never destroyed: the library gives back what it holds when everything else is gone.
constinit Pages pages;
constinit thread_local int scopes = 0;

void* Allocate(size_t bytes, const char* file, int line) {
  if (bytes == 0) return nullptr;
  void* const guarded = scopes > 0 ? pages.Take(bytes) : nullptr;
  return guarded != nullptr ? guarded : others.allocate(bytes, file, line);
}

void Free(void* memory, const char* file, int line) {
  if (pages.Has(memory)) {
    pages.GiveBack(memory);
  } else {
    others.free(memory, file, line);
  }
}

[[maybe_unused]] void* Reallocate(void* memory, size_t bytes, const char* file, int line) {
  if (memory == nullptr) return Allocate(bytes, file, line);
  if (bytes == 0) {
    Free(memory, file, line);
    return nullptr;
  }
  if (!pages.Has(memory)) return others.reallocate(memory, bytes, file, line);
  const KeyScope stays;
  void* const out = Allocate(bytes, file, line);
  if (out == nullptr) return nullptr;
  std::memcpy(out, memory, std::min(bytes, Pages::SizeOf(memory)));
  pages.GiveBack(memory);
  return out;
}

}  // namespace

bool SetUpKeyMemory() {
#if defined(EGRET_SANITIZED)
  return true;  // they are to see each piece
#else
  TakeOthers();
  return pages.Reserve() && CRYPTO_set_mem_functions(Allocate, Reallocate, Free) == 1;
#endif
}

void UseOnce(EVP_PKEY* key) {
  const KeyScope guarded;
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  std::array<unsigned char, 1024> signature;  // of RSA with 8192 bits
  size_t size = signature.size();
  // Keys that want another digest are none of ours, and have no copies.
  if (EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key) == 1)
    EVP_DigestSign(context.get(), signature.data(), &size, nullptr, 0);
  ERR_clear_error();
}

KeyScope::KeyScope() { ++scopes; }
KeyScope::~KeyScope() { --scopes; }

}  // namespace egret
