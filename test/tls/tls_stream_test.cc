// TLS over streams in memory, both roles: every kind of beginning, end and stop, one byte at a time where it matters.
#include "source/tls/tls_stream.h"

#include <errno.h>
#include <gtest/gtest.h>
#include <openssl/err.h>

#include <memory>
#include <string>
#include <utility>

#include "source/event/combine.h"
#include "test/support/tls_ends.h"

namespace egret {
namespace {

std::string Noise(size_t bytes) {
  std::string out(bytes, '\0');
  uint64_t x = 88172645463325252u;
  for (char& c : out) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    c = static_cast<char>(x);
  }
  return out;
}

class TlsStreamTest : public testing::Test {
 protected:
  ServerContext Server(TlsSettings::Version least = TlsSettings::Version::k12) {
    TlsServerOptions options;
    options.certificates.push_back(ca_.Issue({.alt_names = {"DNS:a.test", "IP:127.0.0.1"}}));
    options.settings.least = least;
    return MakeServer(options);
  }
  ClientContext Client() { return MakeClient({.trust = ca_.trust()}); }

  // A client that the test makes by itself, with the library's own means.
  SSL* BareClient(int most_version = TLS1_3_VERSION, int least_version = TLS1_2_VERSION) {
    bare_.reset(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_set_security_level(bare_.get(), 0);
    SSL_CTX_set_min_proto_version(bare_.get(), least_version);
    SSL_CTX_set_max_proto_version(bare_.get(), most_version);
    SSL_CTX_set_options(bare_.get(), SSL_OP_IGNORE_UNEXPECTED_EOF);
    return SSL_new(bare_.get());
  }
  TlsEnds EndsWith(SSL* bare) {
    TlsEnds ends;
    auto [near, far] = PipeStream::Pair();
    ends.client_pipe = near.get();
    ends.server_pipe = far.get();
    ends.client = std::make_unique<TlsStream>(std::move(near), bare, TlsStream::Role::kClient, nullptr);
    ends.server = Server()->Accept(std::move(far));
    return ends;
  }
  TlsEnds Shaken(size_t room = 65536) {
    TlsEnds ends = TlsEnds::Over(Client(), Server(), "a.test", room);
    const auto [client, server] = ends.Shake(loop_);
    EXPECT_FALSE(client);
    EXPECT_FALSE(server);
    return ends;
  }
  // All of `bytes` from one to the other, and its end.
  void Pass(Stream& from, Stream& to, const std::string& bytes, size_t at_a_time = 16384) {
    const auto [said, heard] = RunBoth(loop_, SayAll(from, bytes), HearAll(to, at_a_time));
    EXPECT_TRUE(said);
    EXPECT_EQ(heard.bytes.size(), bytes.size());
    EXPECT_TRUE(heard.bytes == bytes);
    EXPECT_TRUE(heard.end.end()) << heard.end.error;
  }
  void TearDown() override { EXPECT_EQ(ERR_peek_error(), 0u) << "something lies on the library's error queue"; }

  Loop loop_;
  TestCa ca_;
  SslContextPtr bare_;
};

TEST_F(TlsStreamTest, HandsAreShakenByteByByte) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    SSL* const bare = BareClient(version);
    TlsEnds ends = EndsWith(bare);
    ends.client_pipe->out().room = ends.server_pipe->out().room = 1;
    const auto [client, server] = ends.Shake(loop_);
    EXPECT_FALSE(client) << ends.client->detail();
    EXPECT_FALSE(server) << ends.server->detail();
    EXPECT_EQ(ends.server->version(), version == TLS1_3_VERSION ? "TLSv1.3" : "TLSv1.2");
    EXPECT_FALSE(ends.server->resumed());
    Pass(*ends.client, *ends.server, "over a wire that is one byte wide");
    Pass(*ends.server, *ends.client, Noise(3000));
  }
}

TEST_F(TlsStreamTest, MuchPassesBothWaysWhateverTheRoom) {
  const std::string much = Noise(1'500'000);
  for (const size_t room : {size_t{100}, size_t{5000}, size_t{16384}, size_t{70000}, size_t{2'000'000}}) {
    for (const size_t at_a_time : {size_t{1000}, size_t{16384}, size_t{262144}}) {
      TlsEnds ends = Shaken(room);
      Pass(*ends.server, *ends.client, much, at_a_time);
      Pass(*ends.client, *ends.server, much, at_a_time);
    }
  }
}

TEST_F(TlsStreamTest, BothWaysAtOnce) {
  TlsEnds ends = Shaken(3000);
  const std::string up = Noise(400'000), down = Noise(500'000);
  TestJoiner joiner;
  Task<bool> say = SayAll(*ends.client, up);
  Task<bool> answer = SayAll(*ends.server, down);
  say.Start(joiner);
  answer.Start(joiner);
  const auto [heard_up, heard_down] = RunBoth(loop_, HearAll(*ends.server), HearAll(*ends.client));
  EXPECT_TRUE(heard_up.bytes == up);
  EXPECT_TRUE(heard_down.bytes == down);
}

TEST_F(TlsStreamTest, SmallPiecesShareARecord) {
  TlsEnds ends = Shaken();
  Pass(*ends.server, *ends.client, "");  // the tickets leave
  const size_t before = ends.server_pipe->in().bytes.size();
  const std::string head(100, 'h'), body(900, 'b');
  const iovec pieces[] = {{const_cast<char*>(head.data()), head.size()},
                          {const_cast<char*>(""), 0},
                          {const_cast<char*>(body.data()), body.size()}};
  const Io io = ends.client->Write(pieces);
  ASSERT_EQ(io.kind, Io::kBytes);
  EXPECT_EQ(io.bytes, 1000u);
  EXPECT_EQ(ends.server_pipe->in().bytes.size() - before, 1000u + 5 + 1 + 16);  // one header, type and tag
  std::string got(2000, '\0');
  EXPECT_EQ(ends.server->Read(got).bytes, 1000u);
  EXPECT_EQ(got.substr(0, 1000), head + body);
}

TEST_F(TlsStreamTest, PiecesOfAnySizeArriveInOrder) {
  const std::string all = Noise(400'000);
  TlsEnds ends = Shaken(1'000'000);
  std::vector<iovec> pieces;
  size_t at = 0;
  for (const size_t size : {size_t{1}, size_t{16383}, size_t{16384}, size_t{16385}, size_t{0}, size_t{7},
                            size_t{50'000}, size_t{100}, size_t{40'000}, size_t{16000}, size_t{1000}}) {
    pieces.push_back({const_cast<char*>(all.data()) + at, size});
    at += size;
  }
  const Io io = ends.client->Write(pieces);
  ASSERT_EQ(io.kind, Io::kBytes);
  EXPECT_EQ(io.bytes, at);
  ends.client->Finish();
  EXPECT_TRUE(RunTask(loop_, HearAll(*ends.server)).bytes == all.substr(0, at));
}

TEST_F(TlsStreamTest, AWriteThatDoesNotFitIsTakenButForItsLastByte) {
  TlsEnds ends = Shaken(1000);
  const std::string bytes = Noise(5000);
  Io io = ends.client->Write(bytes);
  ASSERT_EQ(io.kind, Io::kBytes);
  EXPECT_EQ(io.bytes, 4999u);
  EXPECT_TRUE(ends.client->Write(bytes.substr(4999)).again());
  EXPECT_FALSE(ends.client->WriteGate().open());
  TestJoiner joiner;
  Task<Heard> hearing = HearAll(*ends.server);
  hearing.Start(joiner);
  for (int i = 0; i < 20 && !io.again(); ++i) loop_.Turn(0);
  const Io rest = RunTask(loop_, WriteAll(*ends.client, bytes.substr(4999)));
  EXPECT_EQ(rest.bytes, 1u);
  RunTask(loop_, FinishAll(*ends.client));
  for (int i = 0; i < 50 && !hearing.done(); ++i) loop_.Turn(0);
  ASSERT_TRUE(hearing.done());
  EXPECT_TRUE(hearing.Take().bytes == bytes);
}

TEST_F(TlsStreamTest, WhatIsHeldAboveAQuietStreamKeepsTheGateOpen) {
  TlsEnds ends = Shaken();
  for (const char* text : {"first record", "second record"}) ASSERT_EQ(ends.client->Write(text).kind, Io::kBytes);
  std::string got, piece(5, '\0');
  while (ends.server->ReadGate().open()) {
    const Io io = ends.server->Read(piece);
    if (io.again()) break;
    ASSERT_EQ(io.kind, Io::kBytes);
    got.append(piece, 0, io.bytes);
  }
  EXPECT_EQ(got, "first recordsecond record");
  EXPECT_TRUE(ends.server->Read(piece).again());
  EXPECT_FALSE(ends.server->ReadGate().open());
}

TEST_F(TlsStreamTest, OneReadBelowFeedsManyRecords) {
  TlsEnds ends = Shaken();
  for (int i = 0; i < 40; ++i) ASSERT_EQ(ends.client->Write("0123456789").kind, Io::kBytes);
  std::string got(16384, '\0');
  EXPECT_EQ(ends.server->Read(got).bytes, 400u);
}

TEST_F(TlsStreamTest, CloseNotifyIsAnEndAndTheOtherWayGoesOn) {
  TlsEnds ends = Shaken();
  Pass(*ends.client, *ends.server, "the question");
  EXPECT_TRUE(ends.server->PeerDoneGate().open());
  EXPECT_TRUE(ends.server->ReadGate().open());
  EXPECT_EQ(ends.client->Write("more").error, EPIPE);
  Pass(*ends.server, *ends.client, "the answer");
}

TEST_F(TlsStreamTest, M15_AnEndWithoutCloseNotifyIsSevered) {
  TlsEnds ends = Shaken();
  ASSERT_EQ(ends.server->Write("half of it").kind, Io::kBytes);
  ends.server->lower().Finish();
  const Heard heard = RunTask(loop_, HearAll(*ends.client));
  EXPECT_EQ(heard.bytes, "half of it");
  EXPECT_TRUE(heard.end.failed());
  EXPECT_EQ(heard.end.error, kSevered);
  std::string again(10, '\0');
  EXPECT_EQ(ends.client->Read(again).error, kSevered);
  EXPECT_TRUE(ends.client->ReadGate().open());
  Pass(*ends.client, *ends.server, "the other way is as it was");
}

TEST_F(TlsStreamTest, M15_AnEndInsideARecordIsSevered) {
  TlsEnds ends = Shaken();
  Pass(*ends.server, *ends.client, "");
  TlsEnds cut = Shaken();
  ASSERT_EQ(cut.server->Write(Noise(1000)).kind, Io::kBytes);
  cut.client_pipe->in().bytes.resize(cut.client_pipe->in().bytes.size() - 1);
  cut.server->lower().Finish();
  const Heard heard = RunTask(loop_, HearAll(*cut.client));
  EXPECT_EQ(heard.bytes, "");
  EXPECT_EQ(heard.end.error, kSevered);
}

TEST_F(TlsStreamTest, AResetIsAReset) {
  TlsEnds ends = Shaken();
  ends.server_pipe->Reset();
  const Heard heard = RunTask(loop_, HearAll(*ends.client));
  EXPECT_TRUE(heard.end.failed());
  EXPECT_EQ(heard.end.error, ECONNRESET);
  EXPECT_TRUE(ends.client->GoneGate().open());
  EXPECT_TRUE(ends.client->Write("x").failed());
  EXPECT_TRUE(ends.client->WriteGate().open());
}

TEST_F(TlsStreamTest, AForgedRecordBreaksIt) {
  TlsEnds ends = Shaken();
  ASSERT_EQ(ends.client->Write("genuine").kind, Io::kBytes);
  ends.server_pipe->in().bytes.back() ^= 1;
  const Heard heard = RunTask(loop_, HearAll(*ends.server));
  EXPECT_EQ(heard.bytes, "");
  EXPECT_EQ(heard.end.error, EPROTO);
  EXPECT_EQ(ends.server->detail(), "decryption failed or bad record mac");
  EXPECT_TRUE(ends.server->Write("x").failed());
  EXPECT_EQ(RunTask(loop_, HearAll(*ends.client)).end.error, EPROTO);
  EXPECT_EQ(ends.client->detail(), "alert received: bad record mac");
}

TEST_F(TlsStreamTest, WhatIsNoTlsIsRefused) {
  for (const std::string& garbage :
       {std::string("GET / HTTP/1.1\r\n\r\n"), std::string("\x16\x03\x01\x00\x05hello", 10), std::string(100, '\0'),
        std::string("SSH-2.0-x\r\n"), std::string("\x16\x03\x01\xff\xff", 5) + Noise(70000)}) {
    auto [near, far] = PipeStream::Pair(100000);
    const std::unique_ptr<TlsStream> server = Server()->Accept(std::move(far));
    ASSERT_EQ(near->Write(garbage).kind, Io::kBytes);
    const Failure failure = RunTask(loop_, server->Handshake());
    EXPECT_EQ(failure, (Failure{Side::kClient, Fault::kTlsProtocol})) << garbage.substr(0, 10);
    EXPECT_FALSE(server->detail().empty());
  }
}

TEST_F(TlsStreamTest, WhoLeavesBeforeHandsAreShakenIsNoTlsFault) {
  auto [near, far] = PipeStream::Pair();
  std::unique_ptr<TlsStream> server = Server()->Accept(std::move(far));
  near->Finish();
  EXPECT_EQ(RunTask(loop_, server->Handshake()), (Failure{Side::kClient, Fault::kClientEnded}));

  auto [other, end] = PipeStream::Pair();
  server = Server()->Accept(std::move(end));
  other->Reset();
  EXPECT_EQ(RunTask(loop_, server->Handshake()), (Failure{Side::kClient, Fault::kClientGone}));

  auto [third, origin] = PipeStream::Pair();
  const std::unique_ptr<TlsStream> client = Client()->Connect(std::move(third), "a.test");
  origin->Finish();
  EXPECT_EQ(RunTask(loop_, client->Handshake()), (Failure{Side::kUpstream, Fault::kUpstreamClosed}));
}

TEST_F(TlsStreamTest, AnAlertInsideTheHandshakeIsTold) {
  const TestCa other("another CA");
  TlsEnds ends = TlsEnds::Over(MakeClient({.trust = other.trust()}), Server());
  const auto [client, server] = ends.Shake(loop_);
  EXPECT_EQ(client, (Failure{Side::kUpstream, Fault::kTlsCertificate}));
  EXPECT_EQ(ends.client->detail(), "certificate refused: unable to get local issuer certificate");
  EXPECT_EQ(server, (Failure{Side::kClient, Fault::kTlsAlert}));
  EXPECT_EQ(ends.server->detail(), "alert received: unknown CA");
  std::string got(10, '\0');
  EXPECT_TRUE(ends.server->Read(got).failed());
  EXPECT_TRUE(ends.server->Write("x").failed());
  EXPECT_TRUE(ends.server->Finish().end());
}

TEST_F(TlsStreamTest, M07_OldVersionsAreRefused) {
  TlsEnds ends = EndsWith(BareClient(TLS1_1_VERSION, TLS1_VERSION));
  const auto [client, server] = ends.Shake(loop_);
  EXPECT_EQ(server, (Failure{Side::kClient, Fault::kTlsProtocol}));
  EXPECT_EQ(ends.server->detail(), "unsupported protocol");
  EXPECT_EQ(client.fault, Fault::kTlsAlert);
  EXPECT_EQ(ends.client->detail(), "alert received: protocol version");
}

TEST_F(TlsStreamTest, M07_WeakCipherSuitesAreRefused) {
  for (const char* weak : {"AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES128-SHA256"}) {
    SSL* const bare = BareClient(TLS1_2_VERSION);
    ASSERT_EQ(SSL_set_cipher_list(bare, weak), 1);
    TlsEnds ends = EndsWith(bare);
    const auto [client, server] = ends.Shake(loop_);
    EXPECT_EQ(server, (Failure{Side::kClient, Fault::kTlsProtocol})) << weak;
    EXPECT_EQ(ends.server->detail(), "no shared cipher");
    EXPECT_EQ(client.fault, Fault::kTlsAlert);
  }
}

TEST_F(TlsStreamTest, M12_RenegotiationIsRefusedAndNothingPilesUp) {
  SSL* const bare = BareClient(TLS1_2_VERSION);
  TlsEnds ends = EndsWith(bare);
  ASSERT_FALSE(ends.Shake(loop_).second);
  std::string got(100, '\0');
  ASSERT_EQ(ends.client->Write("before").kind, Io::kBytes);
  EXPECT_EQ(ends.server->Read(got).bytes, 6u);
  ASSERT_EQ(SSL_renegotiate(bare), 1);
  SSL_do_handshake(bare);
  ends.client->Read(got);  // the new ClientHello leaves
  EXPECT_TRUE(ends.server->Read(got).again());
  // The client hears the warning and gives up; the server has gone on.
  const Io io = ends.client->Read(got);
  EXPECT_TRUE(io.failed());
  EXPECT_EQ(ends.client->detail(), "no renegotiation");
  EXPECT_TRUE(ends.server->Read(got).failed());
  EXPECT_EQ(ends.server->detail(), "alert received: handshake failure");
}

TEST_F(TlsStreamTest, KeysAreRenewedOnTheWay) {
  SSL* const bare = BareClient();
  TlsEnds ends = EndsWith(bare);
  ASSERT_FALSE(ends.Shake(loop_).second);
  std::string got(100, '\0');
  for (int i = 0; i < 5; ++i) {
    ASSERT_EQ(SSL_key_update(bare, SSL_KEY_UPDATE_REQUESTED), 1);
    ASSERT_EQ(ends.client->Write("ping").kind, Io::kBytes);
    EXPECT_EQ(ends.server->Read(got).bytes, 4u);
    ASSERT_EQ(ends.server->Write("pong").kind, Io::kBytes);
    EXPECT_EQ(ends.client->Read(got).bytes, 4u);
  }
  Pass(*ends.client, *ends.server, Noise(100'000));
}

TEST_F(TlsStreamTest, ManyKeyUpdatesAtOnceAreAnsweredOnceAndTakeNoRoom) {
  SSL* const bare = BareClient();
  TlsEnds ends = EndsWith(bare);
  ASSERT_FALSE(ends.Shake(loop_).second);
  Pass(*ends.server, *ends.client, "");
  std::string got(100, '\0');
  ends.client_pipe->out().room = 1 << 20;
  for (int i = 0; i < 1000; ++i) {
    SSL_key_update(bare, SSL_KEY_UPDATE_REQUESTED);
    SSL_do_handshake(bare);
  }
  ASSERT_EQ(ends.client->Write("end").kind, Io::kBytes);
  while (ends.server->Read(got).again()) {
  }
  EXPECT_LT(ends.client_pipe->in().bytes.size(), 200u);
}

TEST_F(TlsStreamTest, TlsInTlsInTls) {
  TlsEnds outer = Shaken(2000);
  auto middle_client = Client()->Connect(std::move(outer.client), "a.test");
  auto middle_server = Server()->Accept(std::move(outer.server));
  auto shaken = RunBoth(loop_, middle_client->Handshake(), middle_server->Handshake());
  EXPECT_FALSE(shaken.first);
  EXPECT_FALSE(shaken.second);
  auto client = Client()->Connect(std::move(middle_client), "127.0.0.1");
  auto server = Server()->Accept(std::move(middle_server));
  shaken = RunBoth(loop_, client->Handshake(), server->Handshake());
  EXPECT_FALSE(shaken.first);
  EXPECT_FALSE(shaken.second);
  Pass(*client, *server, Noise(300'000));
  Pass(*server, *client, Noise(300'000));
}

TEST_F(TlsStreamTest, AServersTicketsLeaveWithItsFirstResponse) {
  TlsEnds ends = Shaken();
  loop_.Turn(0);
  EXPECT_EQ(ends.client_pipe->in().bytes, "") << "they left by themselves";
  std::string got(100, '\0');
  ASSERT_EQ(ends.server->Write("response").kind, Io::kBytes);
  EXPECT_EQ(ends.client->Read(got).bytes, 8u);
}

TEST_F(TlsStreamTest, DestroyedAnywhereInTheHandshake) {
  for (int turns = 0; turns < 12; ++turns) {
    TlsEnds ends = TlsEnds::Over(Client(), Server(), "a.test", 500);
    TestJoiner joiner;
    Task<Failure> client = ends.client->Handshake();
    Task<Failure> server = ends.server->Handshake();
    client.Start(joiner);
    server.Start(joiner);
    for (int i = 0; i < turns; ++i) loop_.Turn(0);
    server.Cancel();
    ends.server.reset();
    for (int i = 0; i < 30 && !client.done(); ++i) loop_.Turn(0);
    EXPECT_TRUE(client.done());
  }
}

}  // namespace
}  // namespace egret
