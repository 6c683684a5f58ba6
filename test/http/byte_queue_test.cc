#include "source/http/byte_queue.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace egret {
namespace {

std::string TakeAll(ByteQueue& queue) {
  std::string taken;
  while (!queue.empty()) {
    taken.append(queue.front());
    queue.Drop(queue.front().size());
  }
  return taken;
}

TEST(ByteQueue, GivesInOrderWhatWasPut) {
  ByteQueue queue;
  std::string put;
  for (int i = 0; i < 5000; ++i) {
    const std::string piece(static_cast<size_t>(i % 37), static_cast<char>('a' + i % 26));
    queue.Append(piece);
    put += piece;
  }
  EXPECT_EQ(queue.size(), put.size());
  EXPECT_EQ(TakeAll(queue), put);
  EXPECT_EQ(queue.size(), 0u);
}

TEST(ByteQueue, WhatWasGivenStaysWhereItIs) {
  ByteQueue queue;
  queue.Append("first");
  const std::string_view first = queue.front();
  for (int i = 0; i < 100; ++i) queue.Append(std::string(1000, 'x'));
  EXPECT_EQ(first, "first");
  EXPECT_TRUE(queue.front().starts_with("first"));
}

TEST(ByteQueue, DropsAcrossBlocks) {
  ByteQueue queue;
  const std::string large(100'000, 'l');
  queue.Append("head");
  queue.Append(large);
  queue.Append("tail");
  queue.Drop(2);
  EXPECT_TRUE(queue.front().starts_with("ad"));
  queue.Drop(2 + large.size());
  EXPECT_EQ(TakeAll(queue), "tail");
}

TEST(ByteQueue, IsUsedAgainOnceItIsEmpty) {
  ByteQueue queue;
  EXPECT_TRUE(queue.front().empty());
  queue.Append("gone");
  queue.Clear();
  EXPECT_TRUE(queue.empty());
  EXPECT_TRUE(queue.front().empty());
  queue.Append("");
  EXPECT_TRUE(queue.empty());
  queue.Append("again");
  EXPECT_EQ(TakeAll(queue), "again");
  queue.Append("left to the destructor");
}

}  // namespace
}  // namespace egret
