#include "source/filters/mitm_terminator.h"

#include <optional>
#include <string_view>

#include "source/base/log.h"
#include "source/base/strings.h"
#include "source/chain/connection.h"
#include "source/chain/listener.h"
#include "source/event/combine.h"
#include "source/filters/tls_goodbye.h"

namespace egret {
namespace {

using Options = MitmTerminatorOptions;

Task<bool> Refuse(Connection& connection, Failure why, TlsAlert alert) {
  co_await RefuseTunnel(connection, why, alert);
  co_return false;
}

bool MayInspect(const Connection& connection) {
  return connection.protocol == Protocol::kTls && connection.inspect_permit &&
         (connection.upstream || connection.reserved);
}

// A client that offers nothing speaks HTTP/1.1.
bool SharesProtocol(const Connection& connection, const std::vector<std::string>& spoken) {
  if (connection.alpn.empty()) return true;
  for (const std::string& one : spoken)
    if (Offers(connection.alpn, one)) return true;
  return false;
}

// --- The origin's side

// What a client is to see of its origin.
struct View {
  const CertificateAuthority* authority = nullptr;  // whose leaf
  X509Ptr certificate = {};                         // the origin's; null: not known
  std::vector<std::string> alpn = {};               // what may be agreed on
  std::string_view how = {};                        // static, for the log
};

// False: it is over, and the client has been told where there was somebody to tell.
Task<bool> LookFirst(Connection& connection, const Options& options, View& view) {
  OriginImage image = co_await LookAtOrigin(connection, options.router, options.handshake_ms);
  if (image.client_gone) {
    connection.record->Fail({Side::kClient, Fault::kClientGone});
    co_return false;
  }
  if (image.unknown) co_return true;  // as if lazy
  if (image.fault == Fault::kNone) {
    view.certificate = std::move(image.certificate);
    view.alpn = AnswerToClient(connection.alpn, options.spoken, image.alpn);
    view.how = image.live ? "live" : "eager";
    co_return true;
  }
  const Failure why{Side::kUpstream, image.fault};
  if (options.on_failure == Options::OnFailure::kClose) co_return co_await Refuse(connection, why, image.alert);
  connection.record->Fail(why);
  connection.upstream.reset();
  connection.refusal = std::make_unique<const Refusal>(Refusal{why, image.detail});
  const bool untrusted = options.on_failure == Options::OnFailure::kUntrustedLeaf;
  if (untrusted) view.authority = options.untrusted.get();
  view.how = untrusted ? "untrusted" : "refused";
  co_return true;
}

// --- The client's side

// The name that the client looks for: the tunnel's, which it shows too unless it is refused for that.
std::string LeafTarget(const Connection& connection) {
  const Result<Target, Fault> shown = ParseAuthority(connection.sni, connection.target->port);
  return shown && (shown->literal || IsLeafDnsName(shown->host)) ? shown->host : connection.target->host;
}

// With whom a client's session may go on: not beyond what decides about it.
std::string Partition(const Connection& connection) {
  std::string out = connection.listener->name;
  if (connection.policies)
    for (const std::string& name : connection.policies->names()) Append(out, '\n', name);
  Append(out, "\nas ", connection.identity ? connection.identity->Key() : "-");
  return out;
}

// Clients that were to be shown that something is wrong are no evidence.
void Count(Connection& connection, LeafRefusal how) {
  Worker& worker = connection.worker;
  worker.counters().leaf_refusals[static_cast<size_t>(how)].Add();
  worker.leaf_refusals().Add(connection.target->host, how, worker.unix_seconds());
}

void NoteRefusal(Connection& connection, const TlsStream& tls) {
  const LeafRefusal how = LeafRefusalOf(tls.alert_received());
  if (how == LeafRefusal::kCount || connection.refusal) return;
  Count(connection, how);
  connection.record->Fail({Side::kClient, Fault::kLeafRefused});
  connection.record->tls_detail = tls.detail();
}

// A client of TLS 1.3 may have its doubts when the handshake is over here: its alert, or its silent end, comes where
// its first request was waited for.
void NoteEnd(Connection& connection, const Stream* stream) {
  if (connection.stream.get() != stream || !connection.record || connection.refusal) return;
  auto& tls = static_cast<TlsStream&>(*connection.stream);
  if (tls.spoke()) return;
  NoteRefusal(connection, tls);
  if (connection.record->failure || !tls.PeerDoneGate().open()) return;
  connection.record->close_reason = "client_silent";
  Count(connection, LeafRefusal::kSilent);
}

void Learn(Connection& connection, const TlsStream& tls, std::string_view how) {
  TlsCounters& counters = connection.worker.counters().inside_tls;
  counters.Add(Fault::kNone);
  counters.AddAgreed(tls.version(), tls.resumed());
  connection.decrypted_alpn = tls.alpn() == kAlpnHttp2 ? kAlpnHttp2 : kAlpnHttp1;
  ExchangeRecord& record = *connection.record;
  record.inspected = how;
  record.inside_tls_version = tls.version();
  record.inside_tls_resumed = tls.resumed();
}

Task<bool> Greet(Connection& connection, const Options& options, const Leaf& leaf, View view) {
  std::unique_ptr<TlsStream> made =
      options.server->Accept(std::move(connection.stream), leaf, std::move(view.alpn), Partition(connection));
  TlsStream& tls = *made;
  connection.stream = std::move(made);
  const std::optional<Failure> failure = co_await WithDeadline(tls.Handshake(), options.handshake_ms);
  if (failure && !*failure) {
    Learn(connection, tls, view.how);
    co_return true;
  }
  const Failure why = failure ? *failure : Failure{Side::kClient, Fault::kTlsTimeout};
  connection.worker.counters().inside_tls.Add(why.fault);
  NoteRefusal(connection, tls);
  connection.record->Fail(why);
  if (!connection.refusal) connection.record->tls_detail = tls.detail();
  co_await SayWhy(tls, why);
  co_return false;
}

// --- Both

Task<bool> Mint(Connection& connection, const Options& options, View view) {
  const std::shared_ptr<const CertificateAuthority> authority =
      view.authority != nullptr ? options.untrusted : options.authority->Get();
  const int64_t now = connection.worker.unix_seconds();
  const std::string target = LeafTarget(connection);
  const auto leaf = co_await WithDeadline(
      connection.worker.leaves().Get(authority, target, view.certificate.get(), now), options.handshake_ms);
  if (leaf && *leaf) co_return co_await Greet(connection, options, ***leaf, std::move(view));
  connection.record->tls_detail = leaf ? leaf->error().text : "the signer took too long";
  co_return co_await Refuse(connection, {Side::kEgret, Fault::kNoLeaf}, TlsAlert::kInternalError);
}

// What a client has waited for because it is inspected; not the dial, which a relayed tunnel has as well.
void RecordTime(Connection& connection, uint64_t started_ms) {
  const uint64_t took = connection.worker.loop().now_ms() - started_ms;
  connection.record->inspect_ms = static_cast<int64_t>(took);
  connection.worker.counters().inspect_duration.Observe(took);
}

// A frame of its own, so that nothing of this is held while the tunnel lives. False: it is over.
[[clang::noinline]] Task<bool> Establish(Connection& connection, const Options& options) {
  const uint64_t started_ms = connection.worker.loop().now_ms();  // the verdict has just been given
  const bool refused = connection.refusal != nullptr;
  if (!refused && !MayInspect(connection))
    co_return co_await Refuse(connection, {Side::kEgret, Fault::kNoChain}, TlsAlert::kAccessDenied);
  if (!SharesProtocol(connection, options.spoken))
    co_return co_await Refuse(connection, {Side::kClient, Fault::kForeignAlpn}, TlsAlert::kNoApplicationProtocol);
  const bool eager = options.origin == Options::Origin::kEager;
  View view;
  view.alpn = options.spoken;
  view.how = refused ? "refused" : "lazy";
  connection.origin_tls.emplace();
  if (!refused) {
    // Before the client is known to agree on something, the origin is offered all that the chain can make of it.
    connection.origin_tls->context = options.origins->Of(connection.target->host);
    connection.origin_tls->alpn = OfferToOrigin(eager ? connection.alpn : options.spoken, options.router.http2);
    if (eager && !co_await LookFirst(connection, options, view)) co_return false;
  }
  const bool done = co_await Mint(connection, options, std::move(view));
  if (done) RecordTime(connection, started_ms);
  co_return done;
}

Task<void> Decrypt(Connection& connection, NetworkNext next, const Options& options) {
  if (co_await Establish(connection, options)) {
    const Stream* const stream = connection.stream.get();
    co_await next(connection);
    NoteEnd(connection, stream);
  }
  KeepUnasked(connection, options.router);
}

}  // namespace

Task<void> MitmTerminatorFilter::Handle(Connection& connection, NetworkNext next) const {
  if (connection.protocol == Protocol::kHttp) return next(connection);
  return Decrypt(connection, next, options_);
}

}  // namespace egret
