// What a tunnel costs while nothing moves through it.
#include <gtest/gtest.h>
#include <malloc.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "source/base/check.h"
#include "source/base/frame_pool.h"
#include "source/base/sanitizer.h"
#include "source/base/strings.h"
#include "source/chain/record.h"
#include "source/event/loop.h"
#include "source/event/nursery.h"
#include "source/event/task.h"
#include "source/io/socket_stream.h"
#include "test/support/peer.h"
#include "test/support/pipe.h"
#include "test/support/proxy_bench.h"

namespace egret {
namespace {

constexpr int kTunnels = 200;
// Of user memory, malloc's own share included, and of the bench what cannot be told apart: a line of the access log
// that nobody has taken, the strings of a script. Frames are larger where nothing is optimised.
#ifdef NDEBUG
constexpr uint64_t kMostBytes = 3584;
#else
constexpr uint64_t kMostBytes = 4096;
#endif

uint64_t AllocatedBytes() { return mallinfo2().uordblks; }

// Opens a tunnel whose first byte is no HTTP and no TLS, so that it is relayed.
Task<void> OpenRelayed(ProxyBench& bench, Peer& client, int& open) {
  const std::string authority = bench.Authority("raw.test");
  CHECK(co_await client.Say(Cat("CONNECT ", authority, " HTTP/1.1\r\nHost: ", authority, "\r\n\r\n")));
  CHECK(co_await client.HearUntil("\r\n\r\n"));
  CHECK(co_await client.Say("\x01"));
  ++open;
}

// What the test itself holds for each: both ends of a pipe and whoever sits at its end, and the same at the origin's
// socket.
uint64_t BytesOfTheBench() {
  std::vector<std::pair<std::unique_ptr<Stream>, std::unique_ptr<Peer>>> held;
  held.reserve(kTunnels);
  const uint64_t before = AllocatedBytes();
  for (int i = 0; i < kTunnels; ++i) {
    auto [near, far] = PipeStream::Pair(size_t{64} << 10);
    held.emplace_back(std::move(near), std::make_unique<Peer>(std::move(far)));
  }
  const uint64_t pipe_and_peer = (AllocatedBytes() - before) / kTunnels;
  // The near end stands where a worker has a socket.
  return pipe_and_peer + sizeof(Peer);
}

TEST(IdleTunnel, CostsALittleMemory) {
#ifdef EGRET_ASAN
  GTEST_SKIP() << "the sanitizer's memory says nothing of malloc's";
#endif
  Loop loop;
  ProxyBench bench(loop, {});
  Nursery scripts;
  int open = 0;
  const auto open_one_more = [&] {
    const int wanted = open + 1;
    scripts.Start(OpenRelayed(bench, bench.Connect(), open));
    for (int turns = 0; open < wanted && turns < 1000; ++turns) loop.Turn(10);
    for (int quiet = 0; quiet < 3; ++quiet) loop.Turn(0);
  };
  for (int i = 0; i < 20; ++i) open_one_more();  // pools and lists have grown
  ASSERT_EQ(bench.worker().counters().tunnels_active.Read(), 20);

  const uint64_t bytes_before = AllocatedBytes(), frames_before = FramePool::live_bytes();
  for (int i = 0; i < kTunnels; ++i) open_one_more();
  const uint64_t frames = (FramePool::live_bytes() - frames_before) / kTunnels;
  const uint64_t all = (AllocatedBytes() - bytes_before) / kTunnels + frames;  // which are not malloc's
  const uint64_t of_bench = BytesOfTheBench();
  const uint64_t bytes = all - std::min(all, of_bench);
  std::printf(
      "an idle tunnel: %lu bytes, of which\n  frames of coroutines %lu\n  its record %zu\n  two sockets %zu\n"
      "  (and %lu of the bench)\n",
      bytes, frames, sizeof(ExchangeRecord), 2 * sizeof(SocketStream), of_bench);
  EXPECT_LE(bytes, kMostBytes);
  bench.EndSessions();
}

}  // namespace
}  // namespace egret
