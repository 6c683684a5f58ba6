// The file of a tap: whole at every moment, bounded, and nobody else's.
#include "source/filters/tap_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "source/base/strings.h"
#include "source/config/json_parser.h"

namespace egret {
namespace {

std::string Read(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// How many entries; -1: it is not HAR.
int Entries(const std::string& path) {
  const Tree tree = ParseJson(Read(path), "har");
  if (!tree.root || !tree.errors.empty() || tree.root->children.size() != 1) return -1;
  for (const Node& member : tree.root->children.front().children)
    if (member.key == "entries") return static_cast<int>(member.children.size());
  return -1;
}

std::unique_ptr<const HarExchange> Exchange(std::string url = "http://origin.test/") {
  auto exchange = std::make_unique<HarExchange>();
  exchange->url = std::move(url);
  exchange->status = 200;
  return exchange;
}

class TapFileTest : public testing::Test {
 protected:
  TapFileTest() {
    options_.path = Cat(testing::TempDir(), "/tap-", getpid(), '-',
                        testing::UnitTest::GetInstance()->current_test_info()->name(), ".har");
    unlink(options_.path.c_str());
    options_.ends_unix_ms = NowMs() + 3'600'000;
    options_.creator_version = "1";
  }
  static int64_t NowMs() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
  }
  // Waits until so many were written or dropped.
  static void WaitFor(const TapFile& tap, uint64_t count) {
    while (tap.written() + tap.dropped() < count) usleep(100);
  }

  TapOptions options_;
};

TEST_F(TapFileTest, ItIsWholeAfterEveryEntryAndReadByItsOwnerAlone) {
  TapFile tap(options_);
  tap.Begin();
  EXPECT_EQ(tap.state(), TapFile::State::kOpen);
  EXPECT_EQ(Entries(options_.path), 0);
  struct stat status{};
  ASSERT_EQ(stat(options_.path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777u, 0600u);
  for (int n = 1; n <= 3; ++n) {
    ASSERT_TRUE(tap.Take());
    tap.Put(Exchange("http://origin.test/\"\n"));
    WaitFor(tap, static_cast<uint64_t>(n));
    EXPECT_EQ(Entries(options_.path), n);
  }
  EXPECT_EQ(tap.file_bytes(), Read(options_.path).size());
}

TEST_F(TapFileTest, WhatIsThereAlreadyIsLeftAlone) {
  std::ofstream(options_.path) << "mine";
  TapFile tap(options_);
  tap.Begin();
  EXPECT_EQ(tap.state(), TapFile::State::kFailed);
  EXPECT_EQ(tap.why(), "it is there already; move it away");
  EXPECT_FALSE(tap.Take());
  EXPECT_EQ(Read(options_.path), "mine");
}

TEST_F(TapFileTest, ALinkIsNotFollowed) {
  const std::string elsewhere = options_.path + ".elsewhere";
  unlink(elsewhere.c_str());
  ASSERT_EQ(symlink(elsewhere.c_str(), options_.path.c_str()), 0);
  TapFile tap(options_);
  tap.Begin();
  EXPECT_EQ(tap.state(), TapFile::State::kFailed);
  EXPECT_NE(access(elsewhere.c_str(), F_OK), 0);
}

TEST_F(TapFileTest, ItTakesNoMoreExchangesThanItMay) {
  options_.max_exchanges = 2;
  TapFile tap(options_);
  tap.Begin();
  for (int n = 0; n < 2; ++n) {
    ASSERT_TRUE(tap.Take());
    tap.Put(Exchange());
  }
  EXPECT_FALSE(tap.Take());
  while (tap.state() == TapFile::State::kOpen) usleep(100);
  EXPECT_EQ(tap.state(), TapFile::State::kFull);
  EXPECT_EQ(Entries(options_.path), 2);
  tap.Put(Exchange());
  EXPECT_EQ(tap.dropped(), 1u);
}

TEST_F(TapFileTest, ItGrowsNoLargerThanItMay) {
  options_.max_file_bytes = 2000;
  TapFile tap(options_);
  tap.Begin();
  for (int n = 0; n < 10; ++n) tap.Put(Exchange());
  WaitFor(tap, 10);
  EXPECT_EQ(tap.state(), TapFile::State::kFull);
  EXPECT_LE(Read(options_.path).size(), 2000u);
  EXPECT_EQ(Entries(options_.path), static_cast<int>(tap.written()));
  EXPECT_GT(tap.written(), 0u);
}

TEST_F(TapFileTest, ItEndsByItself) {
  options_.ends_unix_ms = NowMs() + 1;
  TapFile tap(options_);
  tap.Begin();
  while (tap.state() == TapFile::State::kOpen) usleep(100);
  EXPECT_EQ(tap.state(), TapFile::State::kOver);
}

TEST_F(TapFileTest, NothingIsMadeWhereItsTimeIsOver) {
  options_.ends_unix_ms = NowMs() - 1;
  TapFile tap(options_);
  tap.Begin();
  EXPECT_EQ(tap.state(), TapFile::State::kOver);
  EXPECT_FALSE(tap.Take());
  EXPECT_NE(access(options_.path.c_str(), F_OK), 0);
}

TEST_F(TapFileTest, WhatWasHandedOverIsWrittenBeforeItGoes) {
  {
    TapFile tap(options_);
    tap.Begin();
    for (int n = 0; n < 100; ++n) tap.Put(Exchange());
  }
  EXPECT_EQ(Entries(options_.path), 100);
}

TEST_F(TapFileTest, AFullDiskLeavesAWholeDocument) {
  options_.path = "/dev/full";
  TapFile tap(options_);  // nothing is made over a device either
  tap.Begin();
  EXPECT_EQ(tap.state(), TapFile::State::kFailed);
}

}  // namespace
}  // namespace egret
