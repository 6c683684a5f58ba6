// The relay between streams in memory and between sockets: every byte, every kind of end, bounded memory.
#include "source/io/relay.h"

#include <errno.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "source/base/buffer.h"
#include "source/base/failure.h"
#include "source/base/frame_pool.h"
#include "source/event/loop.h"
#include "source/event/nursery.h"
#include "source/io/prefixed_stream.h"
#include "source/io/relay_stats.h"
#include "source/io/socket_stream.h"
#include "source/io/stream_io.h"
#include "test/support/pipe.h"
#include "test/support/run_task.h"
#include "test/support/socket_pair.h"

namespace egret {
namespace {

// Bytes of which no two stretches are alike.
std::string Noise(size_t bytes, uint32_t seed) {
  std::mt19937_64 random(seed);
  std::string out(bytes, '\0');
  for (size_t at = 0; at < bytes; at += sizeof(uint64_t)) {
    const uint64_t word = random();
    std::memcpy(out.data() + at, &word, std::min(sizeof word, bytes - at));
  }
  return out;
}

// What the far end of a stream does and saw.
struct Far {
  std::unique_ptr<Stream> stream;
  std::string got;
  bool ended = false;  // its peer's FIN was seen
  int error = 0;       // or a failure
  bool sent = false;   // all of its own is out
};

Task<void> SendAll(Far& far, std::string bytes, bool finish) {
  const Io io = co_await WriteAll(*far.stream, bytes);
  if (io.failed()) co_return;
  if (finish) co_await FinishAll(*far.stream);
  far.sent = true;
}

Task<void> Receive(Far& far, size_t most = SIZE_MAX) {
  while (far.got.size() < most) {
    co_await far.stream->Readable();
    Buffer buffer;
    const Io io = far.stream->Read(buffer.span().first(std::min(buffer.size(), most - far.got.size())));
    if (io.again()) continue;
    if (io.kind == Io::kBytes) {
      far.got.append(buffer.data(), io.bytes);
      continue;
    }
    far.ended = io.end();
    far.error = io.error;
    co_return;
  }
}

Task<void> RelayInto(Stream& client, Stream& upstream, const RelayLimits& limits, RelayCounters& live,
                     std::optional<RelayEnd>& end) {
  end = co_await Relay(client, upstream, limits, live, Gate::NeverOpen());
}

class RelayTest : public testing::Test {
 protected:
  ~RelayTest() override {
    far_.Clear();
    relay_.Clear();
    EXPECT_EQ(FramePool::live_bytes(), 0u);
    EXPECT_EQ(RelayStats::OfThread().parked_bytes.Read(), 0);
    EXPECT_EQ(RelayStats::OfThread().pipes.Read(), 0);
  }

  void Pipes(size_t room) {
    std::tie(client_.stream, near_client_) = PipeStream::Pair(room);
    std::tie(near_upstream_, upstream_.stream) = PipeStream::Pair(room);
  }
  void Sockets(int buffer_bytes = 0) {
    const auto [a, b] = TcpPair();
    const auto [c, d] = TcpPair();
    for (const int fd : {a, b, c, d}) {
      if (buffer_bytes == 0) continue;
      setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer_bytes, sizeof buffer_bytes);
      setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer_bytes, sizeof buffer_bytes);
    }
    client_.stream = std::make_unique<SocketStream>(a);
    near_client_ = std::make_unique<SocketStream>(b);
    near_upstream_ = std::make_unique<SocketStream>(c);
    upstream_.stream = std::make_unique<SocketStream>(d);
  }
  void Start() { relay_.Start(RelayInto(*near_client_, *near_upstream_, limits_, live_, end_)); }
  template <class Condition>
  void TurnUntil(Condition condition) {
    for (int i = 0; i < 200000 && !condition(); ++i) loop_.Turn(50);
    ASSERT_TRUE(condition());
  }
  void TurnUntilOver() {
    TurnUntil([this] { return end_.has_value(); });
  }
  // What becomes of the relay's own streams once it is over.
  void CloseNear() {
    near_client_.reset();
    near_upstream_.reset();
  }
  // RST from a far end.
  static void Reset(Far& far) {
    if (far.stream->AsSocket() == nullptr) static_cast<PipeStream&>(*far.stream).Reset();
    far.stream->Abort();
    far.stream.reset();
  }
  void Carry(const std::string& up, const std::string& down) {
    far_.Start(SendAll(client_, up, true));
    far_.Start(SendAll(upstream_, down, true));
    far_.Start(Receive(client_));
    far_.Start(Receive(upstream_));
    Start();
    TurnUntil([this] { return end_ && client_.ended && upstream_.ended; });
    EXPECT_TRUE(upstream_.got == up);
    EXPECT_TRUE(client_.got == down);
    EXPECT_TRUE(end_->in_order());
    EXPECT_EQ(end_->to_upstream, up.size());
    EXPECT_EQ(end_->to_client, down.size());
  }

  Loop loop_;
  Far client_, upstream_;
  std::unique_ptr<Stream> near_client_, near_upstream_;
  RelayLimits limits_;
  RelayCounters live_;
  std::optional<RelayEnd> end_;
  Nursery far_, relay_;
};

class RelayOfRoom : public RelayTest, public testing::WithParamInterface<size_t> {};

TEST_P(RelayOfRoom, T01_EveryByteArrivesBothWaysThroughPipesOfAnySize) {
  Pipes(GetParam());
  const size_t bytes = GetParam() < 100 ? 20000 : 3000000;
  Carry(Noise(bytes, 1), Noise(bytes + 1, 2));
}

INSTANTIATE_TEST_SUITE_P(Rooms, RelayOfRoom, testing::Values(1, 7, 16384, 65536, 1000000));

TEST_F(RelayTest, T01_BulkBetweenSocketsIsSplicedAndArrivesWhole) {
  Sockets();
  const uint64_t before = RelayStats::OfThread().spliced_bytes.Read();
  Carry(Noise(20000000, 3), Noise(30000000, 4));
  EXPECT_GT(RelayStats::OfThread().spliced_bytes.Read() - before, 20000000u);
  EXPECT_EQ(RelayStats::OfThread().pipes.Read(), 0);
}

TEST_F(RelayTest, T01_SocketsWithSmallBuffersLoseNothing) {
  Sockets(131072);
  Carry(Noise(3000000, 5), Noise(3000000, 6));
}

TEST_F(RelayTest, BytesThatWereReadBeforeGoFirst) {
  Sockets();
  near_client_ = WithPrefix("early ", std::move(near_client_));
  const std::string bulk = Noise(8000000, 7);
  far_.Start(SendAll(client_, bulk, true));
  far_.Start(SendAll(upstream_, "", true));
  far_.Start(Receive(upstream_));
  Start();
  TurnUntilOver();
  TurnUntil([this] { return upstream_.ended; });
  EXPECT_TRUE(upstream_.got == "early " + bulk);
}

class RelayOfKind : public RelayTest, public testing::WithParamInterface<bool> {
 protected:
  void SetUp() override { GetParam() ? Sockets() : Pipes(65536); }
};

TEST_P(RelayOfKind, T02_AClientThatEndsFirstStillGetsAllOfTheAnswer) {
  const std::string answer = Noise(500000, 8);
  far_.Start(Receive(client_));
  far_.Start(Receive(upstream_));
  far_.Start(SendAll(client_, "question", true));
  Start();
  TurnUntil([this] { return upstream_.ended; });
  EXPECT_EQ(upstream_.got, "question");
  EXPECT_FALSE(end_);
  EXPECT_FALSE(client_.ended);
  far_.Start(SendAll(upstream_, answer, true));
  TurnUntilOver();
  TurnUntil([this] { return client_.ended; });
  EXPECT_TRUE(client_.got == answer);
  EXPECT_EQ(end_->reason, RelayEnd::kClientFin);
}

TEST_P(RelayOfKind, T02_AnUpstreamThatEndsFirstStillTakesTheRestOfTheClient) {
  const std::string upload = Noise(500000, 9);
  far_.Start(Receive(client_));
  far_.Start(Receive(upstream_));
  far_.Start(SendAll(upstream_, "greeting", true));
  Start();
  TurnUntil([this] { return client_.ended; });
  EXPECT_EQ(client_.got, "greeting");
  EXPECT_FALSE(end_);
  far_.Start(SendAll(client_, upload, true));
  TurnUntilOver();
  TurnUntil([this] { return upstream_.ended; });
  EXPECT_TRUE(upstream_.got == upload);
  EXPECT_EQ(end_->reason, RelayEnd::kUpstreamFin);
}

TEST_P(RelayOfKind, T03_AResetOfTheUpstreamReachesTheClientAsAReset) {
  far_.Start(Receive(client_));
  Start();
  far_.Start(SendAll(upstream_, "partial", false));
  TurnUntil([this] { return client_.got == "partial"; });
  Reset(upstream_);
  TurnUntilOver();
  EXPECT_EQ(end_->reason, RelayEnd::kUpstreamReset);
  EXPECT_EQ(end_->error, ECONNRESET);
  EXPECT_EQ(end_->to_client, 7u);
  CloseNear();
  TurnUntil([this] { return client_.error != 0; });
  EXPECT_EQ(client_.error, ECONNRESET);
  EXPECT_FALSE(client_.ended);
}

TEST_P(RelayOfKind, T03_AResetOfTheClientReachesTheUpstreamAsAReset) {
  far_.Start(Receive(upstream_));
  Start();
  far_.Start(SendAll(client_, "partial", false));
  TurnUntil([this] { return upstream_.got == "partial"; });
  Reset(client_);
  TurnUntilOver();
  EXPECT_EQ(end_->reason, RelayEnd::kClientReset);
  EXPECT_EQ(end_->to_upstream, 7u);
  CloseNear();
  TurnUntil([this] { return upstream_.error != 0; });
  EXPECT_EQ(upstream_.error, ECONNRESET);
}

TEST_P(RelayOfKind, T03_AResetIsSeenWhileItsDirectionIsStuckAtTheOtherSide) {
  // The upstream reads nothing: the direction from the client waits to write when the client is reset.
  far_.Start(SendAll(client_, Noise(16000000, 10), false));
  Start();
  uint64_t before = UINT64_MAX;
  for (int quiet = 0; quiet < 3; quiet = live_.to_upstream.Read() == before ? quiet + 1 : 0) {
    before = live_.to_upstream.Read();
    loop_.Turn(20);
  }
  EXPECT_FALSE(end_);
  far_.Clear();
  Reset(client_);
  TurnUntilOver();
  EXPECT_EQ(end_->reason, RelayEnd::kClientReset);
}

TEST_P(RelayOfKind, T14_ATunnelInWhichNothingMovesIsEnded) {
  limits_.idle_ms = 20;
  far_.Start(Receive(client_));
  Start();
  TurnUntilOver();
  EXPECT_EQ(end_->reason, RelayEnd::kIdleTimeout);
  CloseNear();
  TurnUntil([this] { return client_.error != 0; });
  EXPECT_EQ(client_.error, ECONNRESET);
}

// Sends a byte every few milliseconds.
Task<void> Drip(Stream& to, int bytes) {
  for (int i = 0; i < bytes; ++i) {
    co_await Sleep(10);
    co_await WriteAll(to, ".");
  }
}

TEST_P(RelayOfKind, T14_EachByteGivesTheIdleLimitAnew) {
  limits_.idle_ms = 150;
  const uint64_t start = loop_.now_ms();
  far_.Start(Drip(*client_.stream, 20));
  Start();
  TurnUntilOver();
  EXPECT_EQ(end_->reason, RelayEnd::kIdleTimeout);
  EXPECT_EQ(end_->to_upstream, 20u);
  EXPECT_GE(loop_.now_ms() - start, 200u + 150u);
}

TEST_P(RelayOfKind, T14_TheLifetimeEndsABusyTunnel) {
  limits_.lifetime_ms = 60;
  limits_.idle_ms = 50;
  far_.Start(Drip(*client_.stream, 1000));
  Start();
  TurnUntilOver();
  EXPECT_EQ(end_->reason, RelayEnd::kLifetime);
  far_.Clear();
}

TEST_P(RelayOfKind, T14_AHalfClosedTunnelHasALimitOfItsOwn) {
  limits_.idle_ms = 3600000;
  limits_.half_closed_ms = 20;
  far_.Start(SendAll(client_, "bye", true));
  far_.Start(Receive(upstream_));
  Start();
  TurnUntilOver();
  EXPECT_EQ(end_->reason, RelayEnd::kHalfClosedTimeout);
  EXPECT_EQ(upstream_.got, "bye");
}

TEST_P(RelayOfKind, AnUnlimitedTunnelIsNotEnded) {
  limits_ = {0, 0, 0};
  far_.Start(SendAll(client_, "x", true));
  Start();
  TurnUntil([this] { return live_.to_upstream.Read() == 1; });
  for (int i = 0; i < 3; ++i) loop_.Turn(1);
  EXPECT_FALSE(end_);
}

TEST_P(RelayOfKind, T03_AnEndInOrderIsNotTakenForAReset) {
  // Both FINs come at once: the sockets then report a hang-up while bytes are still unread.
  const std::string up = Noise(300000, 11), down = Noise(400000, 12);
  Carry(up, down);
}

INSTANTIATE_TEST_SUITE_P(Kinds, RelayOfKind, testing::Bool(),
                         [](const auto& kind) { return kind.param ? "Sockets" : "Pipes"; });

TEST_F(RelayTest, R04_ASlowReaderIsOwedNoMoreThanASmallBuffer) {
  Pipes(10000);
  static_cast<PipeStream&>(*client_.stream).out().room = 10000000;
  far_.Start(SendAll(client_, Noise(9000000, 13), false));
  Start();
  loop_.Turn(0);
  int64_t most = 0;
  while (live_.to_upstream.Read() < 5000000) {
    ASSERT_FALSE(end_);
    auto& in = static_cast<PipeStream&>(*upstream_.stream).in();
    in.bytes.clear();  // the reader takes what there is, and no more comes before the next turn
    in.writable.Open();
    loop_.Turn(0);
    most = std::max(most, RelayStats::OfThread().parked_bytes.Read());
  }
  EXPECT_GT(most, 0);
  EXPECT_LE(most, static_cast<int64_t>(Buffer::kSmall));
  far_.Clear();
}

TEST_F(RelayTest, R04_AReaderThatStopsInTheMiddleOfBulkHoldsOneLargeBufferAtMost) {
  Pipes(20000000);
  static_cast<PipeStream&>(*upstream_.stream).in().room = 3000000;
  far_.Start(SendAll(client_, Noise(9000000, 14), false));
  Start();
  TurnUntil([this] { return live_.to_upstream.Read() == 3000000; });
  for (int i = 0; i < 3; ++i) loop_.Turn(0);
  EXPECT_LE(RelayStats::OfThread().parked_bytes.Read(), static_cast<int64_t>(Buffer::kLarge));
  far_.Clear();
}

TEST_F(RelayTest, T15_AnIdleTunnelFitsIntoTwoKibibytesWithItsSockets) {
  Sockets();
  far_.Start(SendAll(client_, Noise(5000000, 15), false));
  far_.Start(Receive(upstream_));
  const uint64_t before = FramePool::live_bytes();
  TestJoiner joiner;
  Task<RelayEnd> relay = Relay(*near_client_, *near_upstream_, limits_, live_, Gate::NeverOpen());
  const uint64_t frame = FramePool::live_bytes() - before;
  relay.Start(joiner);
  TurnUntil([this] { return upstream_.got.size() == 5000000; });
  far_.Clear();
  EXPECT_EQ(FramePool::live_bytes(), frame);  // waiting costs nothing more
  EXPECT_EQ(RelayStats::OfThread().pipes.Read(), 0);
  RecordProperty("relay_frame_bytes", static_cast<int>(frame));
  RecordProperty("socket_stream_bytes", static_cast<int>(sizeof(SocketStream)));
  std::printf("relay frame %zu, socket stream %zu\n", static_cast<size_t>(frame), sizeof(SocketStream));
  EXPECT_LE(frame + 2 * sizeof(SocketStream) + sizeof(RelayCounters), 1024u);
}

TEST_F(RelayTest, ARelayMayBeDestroyedAtAnyAwait) {
  const std::string up = Noise(2000000, 16), down = Noise(100000, 17);
  bool lived_through = false;
  for (int turns = 0; !lived_through && turns < 3000; turns = turns < 60 ? turns + 1 : turns + 61) {
    for (const bool sockets : {false, true}) {
      sockets ? Sockets(131072) : Pipes(3000);
      end_.reset();
      client_.got.clear();
      upstream_.got.clear();
      far_.Start(SendAll(client_, up, true));
      far_.Start(SendAll(upstream_, down, true));
      far_.Start(Receive(client_));
      far_.Start(Receive(upstream_));
      Start();
      for (int i = 0; i < turns; ++i) loop_.Turn(1);
      lived_through = end_.has_value();
      relay_.Clear();
      far_.Clear();
      EXPECT_EQ(RelayStats::OfThread().parked_bytes.Read(), 0);
      EXPECT_EQ(RelayStats::OfThread().pipes.Read(), 0);
      CloseNear();
    }
  }
  EXPECT_TRUE(lived_through);
}

TEST_F(RelayTest, T21_WhicheverSideDiesWhereverWhatArrivedIsAPrefixOfWhatWasSent) {
  std::mt19937 random(18);
  const std::string sent = Noise(6000000, 19);
  for (int i = 0; i < 60; ++i) {
    Sockets(i % 3 == 0 ? 131072 : 0);
    end_.reset();
    client_ = Far{std::move(client_.stream), "", false, 0, false};
    upstream_.got.clear();
    RelayCounters live;
    const size_t stop = random() % sent.size();
    far_.Start(SendAll(client_, sent, false));
    far_.Start(Receive(upstream_, stop));
    relay_.Start(RelayInto(*near_client_, *near_upstream_, limits_, live, end_));
    TurnUntil([&] { return upstream_.got.size() >= stop; });
    far_.Clear();
    if (i % 2 == 0) {
      Reset(upstream_);
      TurnUntilOver();
      EXPECT_EQ(end_->reason, RelayEnd::kUpstreamReset);
    } else {
      far_.Start(Receive(upstream_));
      Reset(client_);
      TurnUntilOver();
      EXPECT_EQ(end_->reason, RelayEnd::kClientReset);
      CloseNear();
      TurnUntil([this] { return upstream_.error != 0; });
    }
    ASSERT_TRUE(sent.starts_with(upstream_.got));
    EXPECT_GE(end_->to_upstream, upstream_.got.size());
    far_.Clear();
    relay_.Clear();
  }
}

TEST(RelayEndTest, EveryReasonHasANameAndAFault) {
  EXPECT_EQ(NameOf(RelayEnd::kClientFin), "client_fin");
  EXPECT_EQ(NameOf(RelayEnd::kLifetime), "max_lifetime");
  EXPECT_FALSE(FailureOf(RelayEnd::kUpstreamFin));
  EXPECT_EQ(FailureOf(RelayEnd::kUpstreamReset), (Failure{Side::kUpstream, Fault::kUpstreamReset}));
  EXPECT_EQ(FailureOf(RelayEnd::kClientReset), (Failure{Side::kClient, Fault::kClientGone}));
  EXPECT_EQ(FailureOf(RelayEnd::kHalfClosedTimeout).fault, Fault::kHalfClosedTimeout);
}

}  // namespace
}  // namespace egret
