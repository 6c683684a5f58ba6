#include "source/chain/connection.h"

#include <string_view>
#include <utility>

#include "source/base/check.h"
#include "source/base/strings.h"
#include "source/chain/listener.h"
#include "source/chain/live_facts.h"
#include "source/event/combine.h"
#include "source/io/stream_io.h"

namespace egret {
namespace {

constexpr uint64_t kRefusalMs = 2000;
constexpr size_t kRefusalBytes = size_t{64} << 10;

// A fatal alert (RFC 8446 6) in a record of its own, in clear: the handshake has not begun.
std::string AlertRecord(TlsAlert alert) {
  constexpr std::string_view kHeadAndLevel("\x15\x03\x03\x00\x02\x02", 6);
  return Cat(kHeadAndLevel, static_cast<char>(alert));
}

std::string ForbiddenText(const ExchangeRecord& record, Failure why) {
  const FaultText& text = TextOf(why.fault);
  std::string body = Cat("Egret refused this: ", text.sentence, "\nRequest id ", record.request_id, ".\n");
  return Cat("HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ", body.size(),
             "\r\nConnection: close\r\n\r\n", body);
}

Task<void> SayGoodbye(Stream& stream, std::string text) {
  co_await WriteAll(stream, text);
  co_await LingeringClose(stream, kRefusalMs, kRefusalBytes);
}

void RecordRefusal(Connection& connection, Failure why) {
  if (connection.original_destination) StartRecord(connection);
  connection.upstream.reset();
  if (!connection.record) return;
  connection.record->Fail(why);
  connection.record->close_reason = TextOf(why.fault).detail;
}

// The chain that would have decrypted it, had it been allowed.
const FilterChain* DecryptingChain(const Connection& connection) {
  if (connection.protocol != Protocol::kTls || !connection.target) return nullptr;
  for (const FilterChain& chain : connection.listener->chains)
    if (chain.decrypts && chain.match.Takes(connection)) return &chain;
  return nullptr;
}

}  // namespace

Facts FactsOf(const Connection& connection) {
  Facts facts;
  facts.source = connection.peer.address;
  facts.now = connection.worker.unix_seconds();
  facts.identity = IdentityFact(connection.identity.get(), facts.now);
  if (connection.target) {  // else what was learned is of the client's way to the proxy
    facts.target = &*connection.target;
    if (connection.protocol) {
      facts.protocol = *connection.protocol;
      AddHello(facts, connection.sni, connection.ech, connection.hello.get());
    }
  }
  return facts;
}

std::string_view NameOf(Protocol protocol) {
  switch (protocol) {
    case Protocol::kTls:
      return "tls";
    case Protocol::kHttp:
      return "http";
    case Protocol::kOther:
      return "other";
  }
  return "";
}

void Describe(const Connection& connection, ExchangeRecord& record) {
  record.listener = connection.listener->name;
  record.source = connection.peer.ToString();
  if (connection.identity && connection.identity->named()) record.identity = connection.identity->Name();
  record.client_tls = connection.tls;
  record.hello = connection.hello;
  record.parent_id = connection.parent_id;
  if (connection.original_destination) record.original_destination = connection.original_destination->ToString();
}

void StartRecord(Connection& connection) {
  if (connection.record) return;
  connection.record = RecordHolder(connection.worker);
  ExchangeRecord& record = *connection.record;
  record.kind = ExchangeRecord::Kind::kTunnel;
  Describe(connection, record);
  if (connection.protocol) record.carries = NameOf(*connection.protocol);
  record.sni = connection.sni;
  record.ech = connection.ech;
}

bool MustDialOriginal(const Connection& connection) {
  return connection.original_destination && connection.listener->dial_original;
}

Handover TakeHandover(Connection& connection) {
  Handover out = std::move(connection.handover);
  if (out.to != nullptr) out.client = std::move(connection.stream);
  return out;
}

Task<void> RunConnection(Connection& connection) {
  CHECK(connection.listener != nullptr);
  return NetworkNext(connection.listener->listener_filters, connection.listener.get())(connection);
}

Task<void> RunTakeovers(Handover next) {
  while (next.to != nullptr) {
    const std::unique_ptr<Takeover> running = std::move(next.to);
    next = co_await running->Run(std::move(next.client), std::move(next.record));
  }
}

Task<void> RunWhole(std::unique_ptr<Connection> connection) {
  co_await RunConnection(*connection);
  Handover next = TakeHandover(*connection);
  connection.reset();
  co_await RunTakeovers(std::move(next));
}

Task<void> RefuseTunnel(Connection& connection, Failure why, TlsAlert alert) {
  RecordRefusal(connection, why);
  if (connection.protocol == Protocol::kTls) {
    co_await WithDeadline(SayGoodbye(*connection.stream, AlertRecord(alert)), kRefusalMs);
  } else if (connection.protocol == Protocol::kHttp && connection.record) {
    co_await WithDeadline(SayGoodbye(*connection.stream, ForbiddenText(*connection.record, why)), kRefusalMs);
  }
}

Task<void> RefuseTunnel(Connection& connection, const Decision& decision) {
  const Failure why{Side::kEgret, decision.fault == Fault::kNone ? Fault::kPolicyDenied : decision.fault};
  const FilterChain* const chain = DecryptingChain(connection);
  if (chain == nullptr) return RefuseTunnel(connection, why);
  RecordRefusal(connection, why);
  connection.refusal = std::make_unique<const Refusal>(Refusal{why, {}, decision});
  return NetworkNext(std::span(chain->filters).subspan(*chain->decrypts), nullptr)(connection);
}

}  // namespace egret
