#include "source/tls/record_memory.h"

#include <gtest/gtest.h>
#include <malloc.h>
#include <openssl/crypto.h>

#include <cstring>
#include <thread>

#include "source/base/sanitizer.h"

namespace egret {
namespace {

constexpr size_t kRecord = 16712;

class RecordMemoryTest : public testing::Test {
 protected:
  void SetUp() override {
#ifdef EGRET_ASAN
    GTEST_SKIP() << "AddressSanitizer is to see each block freed";
#endif
    KeepRecordMemory();
  }
};

TEST_F(RecordMemoryTest, WhatWasFreedLastIsGivenOutNext) {
  void* const first = OPENSSL_malloc(kRecord);
  void* const second = OPENSSL_malloc(kRecord);
  OPENSSL_free(first);
  OPENSSL_free(second);
  EXPECT_EQ(OPENSSL_malloc(kRecord - 200), second);
  EXPECT_EQ(OPENSSL_malloc(kRecord), first);
  OPENSSL_free(first);
  OPENSSL_free(second);
}

TEST_F(RecordMemoryTest, ABlockHoldsWhatWasAskedFor) {
  for (const size_t size : {size_t{1}, size_t{16383}, size_t{16384}, kRecord, size_t{17408}, size_t{17409}}) {
    void* const block = OPENSSL_malloc(size);
    ASSERT_NE(block, nullptr);
    EXPECT_GE(malloc_usable_size(block), size);
    std::memset(block, 1, size);
    OPENSSL_free(block);
  }
}

TEST_F(RecordMemoryTest, ABlockThatGrewIsKeptForWhatItIs) {
  void* block = OPENSSL_malloc(kRecord);
  block = OPENSSL_realloc(block, 4 * kRecord);
  std::memset(block, 1, 4 * kRecord);
  OPENSSL_free(block);
  OPENSSL_free(nullptr);
  void* const next = OPENSSL_malloc(kRecord);
  EXPECT_LT(malloc_usable_size(next), 2 * kRecord);
  OPENSSL_free(next);
}

TEST_F(RecordMemoryTest, AThreadFreesWhatAnotherTook) {
  void* const block = OPENSSL_malloc(kRecord);
  std::thread([block] { OPENSSL_free(block); }).join();
  void* const mine = OPENSSL_malloc(kRecord);
  std::memset(mine, 1, kRecord);
  OPENSSL_free(mine);
}

}  // namespace
}  // namespace egret
