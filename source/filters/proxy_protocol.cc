#include "source/filters/proxy_protocol.h"

#include <algorithm>
#include <optional>
#include <string>

#include "source/base/buffer.h"
#include "source/chain/connection.h"
#include "source/event/combine.h"
#include "source/io/prefixed_stream.h"
#include "source/io/proxy_header.h"

namespace egret {
namespace {

enum class Outcome : uint8_t { kTold, kNothingCame, kRefused };

// Reads the header; what was read beyond it is put back.
Task<Outcome> Take(Connection& connection, ProxyHeader& header) {
  std::string seen;
  for (;;) {
    co_await connection.stream->Readable();
    Buffer buffer;
    const Io io = connection.stream->Read(buffer.span());
    if (io.again()) continue;
    if (io.kind != Io::kBytes) co_return seen.empty() ? Outcome::kNothingCame : Outcome::kRefused;
    seen.append(buffer.data(), io.bytes);
    const ProxyHeaderState state = ParseProxyHeader(seen, header);
    if (state == ProxyHeaderState::kNeedMore) continue;
    if (state == ProxyHeaderState::kMalformed) co_return Outcome::kRefused;
    connection.stream = WithPrefix(seen.substr(header.length), std::move(connection.stream));
    co_return Outcome::kTold;
  }
}

Task<bool> Learn(Connection& connection, uint64_t timeout_ms) {
  ProxyHeader header;
  const Outcome outcome = (co_await WithDeadline(Take(connection, header), timeout_ms)).value_or(Outcome::kRefused);
  if (outcome == Outcome::kRefused)
    connection.worker.counters().failures[static_cast<size_t>(Fault::kProxyProtocol)].Add();
  if (outcome != Outcome::kTold) co_return false;
  if (header.addresses) {
    if (connection.source_place != nullptr && !connection.source_place->MoveTo(header.addresses->source.address)) {
      WorkerCounters& counters = connection.worker.counters();
      counters.limit_hits.Add(Limit::kConnectionsPerSource);
      counters.failures[static_cast<size_t>(Fault::kConnectionLimit)].Add();
      co_return false;
    }
    connection.peer = header.addresses->source;
    connection.local = header.addresses->destination;
  }
  co_return true;
}

Task<void> LearnAndGoOn(Connection& connection, uint64_t timeout_ms, NetworkNext next) {
  if (co_await Learn(connection, timeout_ms)) co_await next(connection);
}

}  // namespace

Task<void> ProxyProtocolFilter::Handle(Connection& connection, NetworkNext next) const {
  const bool trusted = std::any_of(options_.trusted.begin(), options_.trusted.end(),
                                   [&](const Cidr& range) { return range.Contains(connection.peer.address); });
  return trusted ? LearnAndGoOn(connection, options_.timeout_ms, next) : next(connection);
}

}  // namespace egret
