// That keys lie in pages of their own, which no core dump has, and are wiped there. Row S02 of the test catalogue.
#include "source/tls/key_memory.h"

#include <gtest/gtest.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "source/base/sanitizer.h"

namespace egret {
namespace {

// Before any test, as a program does it before anything else.
const bool kSetUp = SetUpKeyMemory();

bool IsLeftOut(const void* memory) {
  std::ifstream maps("/proc/self/smaps");
  bool here = false;
  for (std::string line; std::getline(maps, line);) {
    uintptr_t begin = 0, end = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx ", &begin, &end) == 2)
      here = begin <= reinterpret_cast<uintptr_t>(memory) && reinterpret_cast<uintptr_t>(memory) < end;
    if (!here || !line.starts_with("VmFlags:")) continue;
    std::istringstream flags(line);
    for (std::string flag; flags >> flag;)
      if (flag == "dd") return true;
    return false;
  }
  return false;
}

char* Guarded(size_t bytes) {
  const KeyScope guarded;
  return static_cast<char*>(OPENSSL_malloc(bytes));
}

class KeyMemoryTest : public testing::Test {
 protected:
  void SetUp() override {
#if defined(EGRET_SANITIZED)
    GTEST_SKIP() << "sanitizers see to memory themselves";
#endif
    ASSERT_TRUE(kSetUp);
  }
};

TEST_F(KeyMemoryTest, S02_WhatAScopeAllocatesIsInNoCoreDump) {
  for (const size_t size : {size_t{1}, size_t{32}, size_t{4096}, size_t{200000}}) {
    char* const key = Guarded(size);
    EXPECT_TRUE(IsLeftOut(key)) << size;
    EXPECT_TRUE(IsLeftOut(key + size - 1)) << size;
    EXPECT_EQ(reinterpret_cast<uintptr_t>(key) % alignof(std::max_align_t), 0u);
    OPENSSL_free(key);
  }
  void* const other = OPENSSL_malloc(32);
  EXPECT_FALSE(IsLeftOut(other));
  OPENSSL_free(other);
}

TEST_F(KeyMemoryTest, S02_WhatIsGivenBackIsWipedAndTakenAgain) {
  char* const key = Guarded(100);
  std::memset(key, 'k', 100);
  OPENSSL_free(key);
  EXPECT_EQ(std::count(key, key + 100, 'k'), 0);  // its page stays
  char* const again = Guarded(100);
  EXPECT_EQ(again, key);
  OPENSSL_free(again);
}

TEST_F(KeyMemoryTest, S02_WhatGrowsStaysThere) {
  char* const key = Guarded(30);
  std::memcpy(key, "a key that grows", 17);
  char* const larger = static_cast<char*>(OPENSSL_realloc(key, 3000));
  EXPECT_STREQ(larger, "a key that grows");
  EXPECT_TRUE(IsLeftOut(larger));
  EXPECT_EQ(OPENSSL_realloc(larger, 0), nullptr);
  EXPECT_EQ(std::count(larger, larger + 16, 'k'), 0);
}

TEST_F(KeyMemoryTest, WhatDoesNotFitLiesElsewhere) {
  char* const much = Guarded(size_t{1} << 20);
  ASSERT_NE(much, nullptr);
  EXPECT_FALSE(IsLeftOut(much));
  OPENSSL_free(much);
  std::vector<char*> all;
  do all.push_back(Guarded(100000));
  while (IsLeftOut(all.back()) && all.size() < 1000);
  EXPECT_LT(all.size(), 1000u);
  for (char* const one : all) OPENSSL_free(one);
  char* const key = Guarded(100000);
  EXPECT_TRUE(IsLeftOut(key));
  OPENSSL_free(key);
}

TEST_F(KeyMemoryTest, ThreadsShareItAndAScopeIsOneThreadsOwn) {
  const KeyScope guarded;
  std::vector<std::thread> threads;
  std::vector<int> wrong(4);
  threads.reserve(wrong.size());
  for (int& mine : wrong) {
    threads.emplace_back([&mine] {
      void* const outside = OPENSSL_malloc(8);
      mine += IsLeftOut(outside);
      OPENSSL_free(outside);
      for (int i = 0; i < 10000; ++i) {
        char* const one = Guarded(64);
        char* const other = Guarded(64);
        std::memset(one, 1, 64);
        std::memset(other, 2, 64);
        mine += std::count(one, one + 64, 1) != 64;
        OPENSSL_free(one);
        OPENSSL_free(other);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(std::count(wrong.begin(), wrong.end(), 0), 4);
}

}  // namespace
}  // namespace egret
