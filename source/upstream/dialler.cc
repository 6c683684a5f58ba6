#include "source/upstream/dialler.h"

#include <utility>

#include "source/base/strings.h"
#include "source/event/combine.h"
#include "source/event/nursery.h"
#include "source/event/wait.h"
#include "source/io/prefixed_stream.h"
#include "source/tls/tls_stream.h"

namespace egret {
namespace {

// An operator's own address: configured, so no guard judges it.
Task<DialResult> DialConfigured(const Target& target, Resolver& resolver, const DialOptions& options) {
  const Result<Resolved, Fault> resolved = co_await resolver.Resolve(target.host);
  if (!resolved) {
    DialResult failed;
    failed.fault = resolved.error();
    co_return failed;
  }
  co_return co_await DialAny(resolved->addresses, target.port, options);
}

// A connection to the parent, inside TLS where the hop has it.
struct ParentLink {
  std::unique_ptr<Stream> stream;  // null: none
  TlsStream* tls = nullptr;        // the same, where it is TLS
  Endpoint peer;
  Fault fault = Fault::kNone;
  std::vector<DialAttempt> failed;
  std::vector<TlsOutcome> handshakes;
};

Task<void> Secure(ParentLink& link, const NextHop& hop, uint64_t timeout_ms) {
  const TlsOffer offer{hop.tls->Get(), hop.tls_name, {std::string(kAlpnHttp1)}};
  TlsOutcome outcome = co_await ShakeHands(link.stream, offer, timeout_ms);
  link.fault = outcome.fault;
  link.tls = static_cast<TlsStream*>(link.stream.get());
  link.handshakes.push_back(std::move(outcome));
}

Task<ParentLink> ReachParent(const NextHop& hop, Resolver& resolver, const DialOptions& options) {
  ParentLink link;
  DialResult dialled = co_await DialConfigured(hop.target.target(), resolver, options);
  link.stream = std::move(dialled.stream);
  link.peer = dialled.peer;
  link.fault = dialled.fault;
  link.failed = std::move(dialled.failed);
  if (link.stream != nullptr && hop.tls != nullptr) co_await Secure(link, hop, options.connect_timeout_ms);
  co_return link;
}

struct Answer {
  Fault fault = Fault::kNone;
  int status = 0;
  std::string unparsed = {};
};

Fault FaultOfParent(Failure failure) {
  switch (failure.fault) {
    case Fault::kUpstreamMalformed:
    case Fault::kUpstreamFraming:
    case Fault::kUpstreamHeaderTooLarge:
    case Fault::kUpstreamTooManyInterim:
      return Fault::kParentMalformed;
    default:
      return failure.fault;
  }
}

// Asks the parent for a tunnel. What follows its 2xx is the tunnel's; framing fields of such an answer mean nothing
// (RFC 9110 9.3.6).
Task<Answer> AskForTunnel(Stream& stream, const NextHop& hop, const std::string& authority, const std::string& via,
                          const Http1ClientLimits& limits) {
  Http1Client client(stream, limits);
  Head request;
  request.method = "CONNECT";
  request.form = TargetForm::kAuthority;
  request.authority = request.Keep(authority);
  request.Add(FieldName::kHost, authority);
  if (!via.empty()) request.Add(FieldName::kVia, via);
  if (!hop.authorization.empty()) request.Add(FieldName::kProxyAuthorization, hop.authorization);
  if (const Failure failure = co_await client.SendHead(request, nullptr)) co_return Answer{FaultOfParent(failure)};
  for (;;) {
    const Result<Head, Failure> head = co_await client.ReadHead();
    if (!head) co_return Answer{FaultOfParent(head.error())};
    if (head->status / 100 == 1) continue;
    if (head->status == 407) co_return Answer{Fault::kParentAuth, head->status};
    if (head->status / 100 != 2) co_return Answer{Fault::kParentRefused, head->status};
    co_return Answer{Fault::kNone, head->status, client.TakeUnparsed()};
  }
}

// What asking the parent for a tunnel came to.
struct Asked {
  std::unique_ptr<Stream> stream;  // the tunnel; null: none
  Endpoint parent;
  Answer answer;
  bool parent_reached = false;
  std::vector<TlsOutcome> handshakes;
};

// In TLS 1.3 a client hears only behind its handshake that it is not believed.
void HearLateAlert(const ParentLink& link, Asked& asked) {
  if (link.tls == nullptr || asked.answer.fault == Fault::kNone || link.tls->fault() == Fault::kNone) return;
  asked.answer.fault = link.tls->fault();
  asked.parent_reached = false;
  asked.handshakes.back() = {.fault = link.tls->fault(), .detail = link.tls->detail()};
}

Task<Asked> AskParent(const NextHop& hop, Resolver& resolver, const DialOptions& options, const std::string& authority,
                      const std::string& via) {
  Asked asked;
  ParentLink link = co_await ReachParent(hop, resolver, options);
  asked.parent = link.peer;
  asked.answer.fault = link.fault;
  asked.parent_reached = link.stream != nullptr;
  asked.handshakes = std::move(link.handshakes);
  if (!asked.parent_reached) co_return asked;
  Http1ClientLimits limits;
  limits.head_ms = options.connect_timeout_ms;
  asked.answer = co_await AskForTunnel(*link.stream, hop, authority, via, limits);
  HearLateAlert(link, asked);
  if (asked.answer.fault == Fault::kNone)
    asked.stream = WithPrefix(std::move(asked.answer.unparsed), std::move(link.stream));
  co_return asked;
}

// Asks a parent for vetted addresses as DialAny dials them: the next one after a while, or at once where one has
// failed; the first that the parent reaches wins. The others' connections are closed with this.
class TunnelContest {
 public:
  TunnelContest(const DialPermit& permit, const NextHop& hop, Resolver& resolver, const DialOptions& options,
                const std::string& via)
      : addresses_(DialOrder(permit.addresses(), options.max_attempts)),
        port_(permit.target().port),
        hop_(hop),
        resolver_(resolver),
        options_(options),
        via_(via) {}

  Task<void> Run() {
    for (size_t next = 0; !over_ && (next < addresses_.size() || under_way_ > 0);) {
      changed_.Close();
      const bool more = next < addresses_.size();
      if (more) {
        ++under_way_;
        asking_.Start(Ask({addresses_[next++], port_}));
      }
      if (next < addresses_.size()) {
        co_await GateWithin(changed_, options_.attempt_ms);
      } else {
        co_await GateAwaiter(changed_);
      }
    }
  }

  Asked& last() { return last_; }
  const Endpoint& to() const { return to_; }  // where the tunnel leads
  std::vector<DialAttempt>& failed() { return failed_; }
  std::vector<TlsOutcome>& handshakes() { return handshakes_; }

 private:
  Task<void> Ask(Endpoint to) {
    const std::string authority = to.ToString();
    Asked asked = co_await AskParent(hop_, resolver_, options_, authority, via_);
    --under_way_;
    changed_.Open();
    for (TlsOutcome& outcome : asked.handshakes) handshakes_.push_back(std::move(outcome));
    if (over_) co_return;
    last_ = std::move(asked);
    to_ = to;
    // What the parent says of itself or of us is true of every address.
    over_ = last_.stream != nullptr || !last_.parent_reached || last_.answer.fault == Fault::kParentAuth;
    if (last_.stream == nullptr && last_.parent_reached) failed_.push_back({to, last_.answer.fault, 0});
  }

  const std::vector<IpAddress> addresses_;
  const uint16_t port_;
  const NextHop& hop_;
  Resolver& resolver_;
  const DialOptions& options_;
  const std::string& via_;
  Asked last_;
  Endpoint to_;
  std::vector<DialAttempt> failed_;
  std::vector<TlsOutcome> handshakes_;
  size_t under_way_ = 0;
  bool over_ = false;
  Gate changed_{false};
  Nursery asking_;
};

DialOutcome Failed(DialResult result) {
  DialOutcome outcome;
  outcome.fault = result.fault;
  outcome.failed = std::move(result.failed);
  return outcome;
}

}  // namespace

Task<DialOutcome> Dialler::Direct(DialPermit permit, DialOptions options) {
  DialResult result = co_await DialAny(permit.addresses(), permit.target().port, options);
  if (result.stream == nullptr) co_return Failed(std::move(result));
  DialOutcome outcome;
  outcome.dialled = Dialled(permit, std::move(result.stream), result.peer);
  outcome.failed = std::move(result.failed);
  co_return outcome;
}

Task<DialOutcome> Dialler::Parent(DialPermit permit, const NextHop& hop, Resolver& resolver, DialOptions options) {
  CHECK(permit.next_hop().has_value());
  ParentLink link = co_await ReachParent(hop, resolver, options);
  DialOutcome outcome;
  outcome.handshakes = std::move(link.handshakes);
  if (link.stream == nullptr) {
    outcome.fault = link.fault;
    outcome.failed = std::move(link.failed);
  } else {
    outcome.dialled = Dialled(permit, std::move(link.stream), link.peer);
  }
  co_return outcome;
}

Task<DialOutcome> Dialler::Tunnel(DialPermit permit, const NextHop& hop, Resolver& resolver, DialOptions options,
                                  std::string via) {
  return permit.next_hop() ? TunnelToName(std::move(permit), hop, resolver, options, std::move(via))
                           : TunnelToAddress(std::move(permit), hop, resolver, options, std::move(via));
}

Task<DialOutcome> Dialler::TunnelToName(DialPermit permit, const NextHop& hop, Resolver& resolver, DialOptions options,
                                        std::string via) {
  const std::string authority = permit.target().ToString();
  DialOutcome outcome;
  std::optional<Asked> asked =
      co_await WithDeadline(AskParent(hop, resolver, options, authority, via), options.connect_timeout_ms);
  outcome.fault = asked ? asked->answer.fault : Fault::kConnectTimeout;
  if (asked) outcome.handshakes = std::move(asked->handshakes);
  if (asked && asked->stream != nullptr) outcome.dialled = Dialled(permit, std::move(asked->stream), asked->parent);
  co_return outcome;
}

Task<DialOutcome> Dialler::TunnelToAddress(DialPermit permit, const NextHop& hop, Resolver& resolver,
                                           DialOptions options, std::string via) {
  TunnelContest contest(permit, hop, resolver, options, via);
  DialOutcome outcome;
  const bool in_time = (co_await WithDeadline(contest.Run(), options.connect_timeout_ms)).has_value();
  Asked& last = contest.last();
  outcome.failed = std::move(contest.failed());
  outcome.handshakes = std::move(contest.handshakes());
  outcome.fault = in_time || last.stream != nullptr ? last.answer.fault : Fault::kConnectTimeout;
  if (last.stream != nullptr) outcome.dialled = Dialled(permit, std::move(last.stream), contest.to());
  co_return outcome;
}

}  // namespace egret
