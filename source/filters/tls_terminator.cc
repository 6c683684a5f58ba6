#include "source/filters/tls_terminator.h"

#include <optional>
#include <string>

#include "source/base/buffer.h"
#include "source/chain/connection.h"
#include "source/event/combine.h"
#include "source/filters/tls_goodbye.h"
#include "source/io/prefixed_stream.h"

namespace egret {
namespace {

// A client in clear may connect long before it asks; until then nobody knows which kind it is.
constexpr uint64_t kFirstByteMs = 300000;

// Who the client is by its certificate, for policy. Whatever has no field of its own is a claim.
std::shared_ptr<const Identity> IdentityOf(const CertificateFacts& certificate) {
  auto identity = std::make_shared<Identity>();
  identity->spiffe_id = certificate.spiffe_id;
  identity->assurance = Assurance::kCertificate;
  const auto claim = [&](const char* name, const std::vector<std::string>& values) {
    if (!values.empty()) identity->claims.push_back({name, values});
  };
  claim("x509.dns", certificate.dns_names);
  claim("x509.uri", certificate.uris);
  claim("x509.subject", {certificate.subject});
  claim("x509.sha256", {certificate.sha256});
  return identity;
}

enum class Kind : uint8_t { kTls, kClear, kNone };

// By its first byte: a ClientHello is a handshake record (RFC 8446 5.1), and no request begins so.
Task<Kind> Tell(Connection& connection) {
  constexpr char kHandshakeRecord = 0x16;
  for (;;) {
    co_await connection.stream->Readable();
    Buffer buffer;
    const Io io = connection.stream->Read(buffer.span());
    if (io.again()) continue;
    if (io.kind != Io::kBytes) co_return Kind::kNone;
    const Kind kind = buffer.data()[0] == kHandshakeRecord ? Kind::kTls : Kind::kClear;
    connection.stream = WithPrefix(std::string(buffer.data(), io.bytes), std::move(connection.stream));
    co_return kind;
  }
}

// Waits for the first byte as long as an idle client may, or until the worker winds down.
Task<Kind> TellInTime(Connection& connection) {
  const auto told = co_await Race(Tell(connection), connection.ends->unasked);
  const Kind* const kind = std::get_if<0>(&told);
  co_return kind != nullptr ? *kind : Kind::kNone;
}

Task<void> Refuse(Connection& connection, TlsStream& tls, Failure why) {
  connection.worker.counters().client_tls.Add(why.fault);
  if (!tls.heard()) co_return;  // a probe, or a connection made in advance
  RecordHolder record(connection.worker);
  record->kind = ExchangeRecord::Kind::kConnection;
  Describe(connection, *record);
  record->Fail(why);
  record->tls_detail = tls.detail();
  record.Finish();
  co_await SayWhy(tls, why);
}

void Learn(Connection& connection, const TlsStream& tls) {
  auto facts = std::make_shared<TlsFacts>(tls.Facts());
  TlsCounters& counters = connection.worker.counters().client_tls;
  counters.Add(Fault::kNone);
  counters.AddAgreed(facts->version, facts->resumed);
  if (facts->certificate) connection.identity = IdentityOf(*facts->certificate);
  connection.tls = std::move(facts);
  // Whoever looked before saw this TLS and not what is inside it.
  connection.protocol.reset();
  connection.sni.clear();
  connection.alpn.clear();
}

// A frame of its own, so that nothing of this is held while the connection lives. False: it is over.
[[clang::noinline]] Task<bool> Establish(Connection& connection, const TlsTerminatorOptions& options) {
  if (options.plaintext_too) {
    const std::optional<Kind> kind = co_await WithDeadline(TellInTime(connection), kFirstByteMs);
    if (kind == Kind::kClear) co_return true;
    if (kind != Kind::kTls) co_return false;
  }
  std::unique_ptr<TlsStream> made = options.context->Get()->Accept(std::move(connection.stream));
  TlsStream& tls = *made;
  connection.stream = std::move(made);
  const std::optional<Failure> failure = co_await WithDeadline(tls.Handshake(), options.handshake_ms);
  if (failure && !*failure) {
    Learn(connection, tls);
    co_return true;
  }
  co_await Refuse(connection, tls, failure ? *failure : Failure{Side::kClient, Fault::kTlsTimeout});
  co_return false;
}

}  // namespace

Task<void> TlsTerminatorFilter::Handle(Connection& connection, NetworkNext next) const {
  if (co_await Establish(connection, options_)) co_await next(connection);
}

}  // namespace egret
