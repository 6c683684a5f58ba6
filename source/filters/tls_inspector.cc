#include "source/filters/tls_inspector.h"

#include <memory>
#include <string>
#include <utility>

#include "source/base/buffer.h"
#include "source/chain/connection.h"
#include "source/event/combine.h"
#include "source/io/prefixed_stream.h"
#include "source/tls/client_hello.h"
#include "source/tls/fingerprint.h"

namespace egret {
namespace {

enum class Outcome : uint8_t {
  kLearned,
  kClientEnded,  // before it said anything, or inside a ClientHello
  kClientGone,   // the same, by a reset
  kServerEnded,  // or broke, and had said nothing
  kIdle,         // neither side said anything
  kRefused,      // no sound ClientHello
};

enum class Progress : uint8_t { kNeedMore, kLearned, kRefused };

// What the bytes seen so far tell; writes it into the connection once it is certain.
Progress Judge(std::string_view seen, size_t max_bytes, Connection& connection) {
  switch (Classify(seen)) {
    case Sniff::kNeedMore:
      return Progress::kNeedMore;
    case Sniff::kHttp1:
    case Sniff::kHttp2Preface:
      connection.protocol = Protocol::kHttp;
      return Progress::kLearned;
    case Sniff::kOther:
      connection.protocol = Protocol::kOther;
      return Progress::kLearned;
    case Sniff::kTls:
      break;
  }
  ClientHello hello;
  const HelloState state = ParseClientHello(seen, hello, max_bytes);
  if (state == HelloState::kNeedMore) return Progress::kNeedMore;
  connection.protocol = Protocol::kTls;
  if (state != HelloState::kHello) return Progress::kRefused;
  if (connection.worker.WantsFingerprints()) connection.hello = std::make_shared<const HelloFacts>(HelloFactsOf(hello));
  connection.ech = hello.ech;
  connection.sni = std::move(hello.sni);
  connection.alpn = std::move(hello.alpn);
  return Progress::kLearned;
}

// For bytes that tell nothing yet, when nothing more is waited for. What begins like a ClientHello is no other
// protocol, since a patient server would still take it; nor is what may yet become a request: as HTTP it is read, and
// judged, by whoever reads requests.
Outcome SettleForWhatCame(std::string_view seen, Connection& connection) {
  const Sniff sniff = Classify(seen);
  const bool request = sniff == Sniff::kNeedMore && !seen.empty();
  connection.protocol = sniff == Sniff::kTls ? Protocol::kTls : request ? Protocol::kHttp : Protocol::kOther;
  return sniff == Sniff::kTls ? Outcome::kRefused : Outcome::kLearned;
}

// Reads until it is certain, or the server speaks first.
Task<Outcome> Peek(Connection& connection, std::string& seen, size_t max_bytes) {
  Gate* server = connection.upstream ? &connection.upstream->ReadGate() : &Gate::NeverOpen();
  for (;;) {
    const auto who = co_await Race(connection.stream->Readable(), *server);
    if (who.index() == 1) {
      if (connection.upstream->EndedSilently()) co_return Outcome::kServerEnded;
      if (connection.upstream->GreetsAsHttp2()) {
        server = &Gate::NeverOpen();  // it will say nothing more before its client did
        continue;
      }
      co_return SettleForWhatCame(seen, connection);
    }
    Buffer buffer;
    const Io io = connection.stream->Read(buffer.span());
    if (io.again()) continue;
    if (io.kind != Io::kBytes) {
      if (seen.empty() || Classify(seen) == Sniff::kTls)
        co_return io.end() ? Outcome::kClientEnded : Outcome::kClientGone;
      co_return SettleForWhatCame(seen, connection);  // whoever comes next meets the end again
    }
    seen.append(buffer.data(), io.bytes);
    const Progress progress = Judge(seen, max_bytes, connection);
    if (progress != Progress::kNeedMore)
      co_return progress == Progress::kRefused ? Outcome::kRefused : Outcome::kLearned;
  }
}

Task<bool> SomethingComes(Connection& connection) {
  Gate& server = connection.upstream ? connection.upstream->ReadGate() : Gate::NeverOpen();
  co_await Race(connection.stream->Readable(), server);
  co_return true;
}

// A frame of its own, so that nothing of this is held while the tunnel lives.
Task<Outcome> Learn(Connection& connection, const TlsInspectorOptions& options) {
  // Where nothing is dialled yet no server can be heard: silence means one that speaks first.
  const bool blind = connection.original_destination && !connection.upstream;
  const uint64_t idle_ms = blind ? 0 : connection.relay_limits.idle_ms;
  if (idle_ms != 0 && !co_await WithDeadline(SomethingComes(connection), idle_ms)) co_return Outcome::kIdle;
  std::string seen;
  std::optional<Outcome> outcome = co_await WithDeadline(Peek(connection, seen, options.max_bytes), options.timeout_ms);
  if (!outcome) outcome = SettleForWhatCame(seen, connection);
  connection.stream = WithPrefix(std::move(seen), std::move(connection.stream));
  co_return *outcome;
}

// Not inlined: its frame would be part of its caller's, which lives as long as the tunnel.
[[clang::noinline]] Task<bool> LearnRecorded(Connection& connection, const TlsInspectorOptions& options) {
  const Outcome outcome = co_await Learn(connection, options);
  if (const RecordHolder& record = connection.record) {
    if (connection.protocol) record->carries = NameOf(*connection.protocol);
    record->sni = connection.sni;
    record->ech = connection.ech;
    record->hello = connection.hello;
    if (outcome == Outcome::kClientEnded) record->close_reason = "client_fin";
    if (outcome == Outcome::kClientGone) {
      record->Fail({Side::kClient, Fault::kClientGone});
      record->close_reason = "client_reset";
    }
    if (outcome == Outcome::kServerEnded) record->close_reason = "upstream_fin";
    if (outcome == Outcome::kIdle) {
      record->Fail({Side::kClient, Fault::kIdleTimeout});
      record->close_reason = "idle_timeout";
    }
  }
  if (outcome == Outcome::kRefused) co_await RefuseTunnel(connection, {Side::kClient, Fault::kTlsHello});
  co_return outcome == Outcome::kLearned;
}

}  // namespace

Task<void> TlsInspectorFilter::Handle(Connection& connection, NetworkNext next) const {
  if (co_await LearnRecorded(connection, options_)) co_await next(connection);
}

}  // namespace egret
