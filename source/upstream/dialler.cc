#include "source/upstream/dialler.h"

#include <utility>

#include "source/base/strings.h"
#include "source/event/combine.h"
#include "source/io/prefixed_stream.h"

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
  DialResult result = co_await DialConfigured(hop.target.target(), resolver, options);
  if (result.stream == nullptr) co_return Failed(std::move(result));
  DialOutcome outcome;
  outcome.dialled = Dialled(permit, std::move(result.stream), result.peer);
  co_return outcome;
}

Task<DialOutcome> Dialler::Tunnel(DialPermit permit, const NextHop& hop, Resolver& resolver, DialOptions options,
                                  std::string via) {
  DialResult result = co_await DialConfigured(hop.target.target(), resolver, options);
  if (result.stream == nullptr) co_return Failed(std::move(result));
  const Target& target = permit.target();
  const Endpoint peer = permit.next_hop() ? result.peer : Endpoint{permit.addresses().front(), target.port};
  const std::string authority = permit.next_hop() ? target.ToString() : peer.ToString();
  Http1ClientLimits limits;
  limits.head_ms = options.connect_timeout_ms;
  const std::optional<Answer> answer =
      co_await WithDeadline(AskForTunnel(*result.stream, hop, authority, via, limits), options.connect_timeout_ms);
  DialOutcome outcome;
  if (!answer || answer->fault != Fault::kNone) {
    outcome.fault = answer ? answer->fault : Fault::kConnectTimeout;
    outcome.parent_status = answer ? answer->status : 0;
    co_return outcome;
  }
  outcome.dialled = Dialled(permit, WithPrefix(answer->unparsed, std::move(result.stream)), peer);
  co_return outcome;
}

}  // namespace egret
