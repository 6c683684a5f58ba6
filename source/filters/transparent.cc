#include "source/filters/transparent.h"

#include <optional>
#include <string>
#include <utility>

#include "source/chain/decide.h"
#include "source/chain/listener.h"
#include "source/chain/local_reply.h"
#include "source/event/combine.h"
#include "source/filters/recorded.h"
#include "source/upstream/next_hop.h"

namespace egret {
namespace {

Task<bool> Refuse(Connection& connection, Failure why) {
  co_await RefuseTunnel(connection, why);
  co_return false;
}

Task<bool> Refuse(Connection& connection, const Decision& decision) {
  StartRecord(connection);
  RecordDecision(connection.worker, *connection.record, decision);
  co_await RefuseTunnel(connection, decision);
  co_return false;
}

// The name that the client asked DNS for, where its answer has kept it: as good as that of a CONNECT, and held against
// what is shown in the same way.
std::optional<Target> AskedFor(const Connection& connection) {
  const StandInNames* const names = connection.listener->stand_ins;
  if (names == nullptr) return std::nullopt;
  const Endpoint& original = *connection.original_destination;
  std::string name = names->NameOf(original.address);
  if (name.empty()) return std::nullopt;
  return Target{.host = std::move(name), .literal = std::nullopt, .port = original.port};
}

// A name that is shown is the target, on the port that was wanted; an address in its place has to be the one wanted.
Result<Target, Fault> TargetOf(const Connection& connection) {
  const Endpoint& original = *connection.original_destination;
  if (std::optional<Target> asked = AskedFor(connection)) return std::move(*asked);
  if (connection.sni.empty()) return Target::Of(original.address, original.port);
  std::optional<Target> shown = ParseServerName(connection.sni, original.port);
  if (!shown) return Fault::kSniMalformed;
  if (shown->literal && *shown->literal != original.address) return Fault::kSniMismatch;
  return std::move(*shown);
}

// T, A and H, in a row: what the connection carries is known already. Gives a permit to dial; the connection gets the
// ones that say how what is dialled may be used.
Task<std::optional<DialPermit>> Judge(Connection& connection, const PolicyStack& stack) {
  ExchangeRecord& record = *connection.record;
  Worker& worker = connection.worker;
  const NextHop* const hop = connection.listener->next_hop.get();
  Facts facts = FactsOf(connection);
  const Ruling<Admission> target = DecideTarget(worker, &record, stack, facts, Ask::kTunnel);
  if (!target.permit) {
    co_await Refuse(connection, target.decision);
    co_return std::nullopt;
  }
  Resolved resolved;
  if (!ParentResolves(hop) && !connection.target->literal) {
    Result<Resolved, Fault> found = co_await ResolveRecorded(worker, record, connection.target->host);
    if (!found) {
      co_await Refuse(connection, {Side::kUpstream, found.error()});
      co_return std::nullopt;
    }
    resolved = std::move(*found);
    facts.resolved = std::span<const IpAddress>(resolved.addresses);
  }
  AddressRuling address = ParentResolves(hop) ? DecideRemote(worker, &record, *target.permit, facts, hop->target)
                                              : DecideAddress(worker, &record, *target.permit, facts);
  if (!address.permit) {
    co_await Refuse(connection, address.decision);
    co_return std::nullopt;
  }
  if (MustDialOriginal(connection) && !address.permit->Narrow(connection.original_destination->address)) {
    co_await Refuse(connection, Policy::OtherAddress(Stage::kAddress));
    co_return std::nullopt;
  }
  HelloRuling hello = DecideHello(worker, &record, address.permit->binding(), stack, facts);
  if (hello.decision.denied()) {
    co_await Refuse(connection, hello.decision);
    co_return std::nullopt;
  }
  RecordDecision(worker, record, hello.decision);
  connection.relay_permit = std::move(hello.relay);
  connection.inspect_permit = std::move(hello.inspect);
  co_return std::move(address.permit);
}

[[clang::coro_wrapper]] Task<DialOutcome> DialFor(Connection& connection, DialPermit permit) {
  const NextHop* const hop = connection.listener->next_hop.get();
  if (hop == nullptr) return Dialler::Direct(std::move(permit), DialOptions());
  connection.record->next_hop = hop->target.name();
  Worker& worker = connection.worker;
  return Dialler::Tunnel(std::move(permit), *hop, worker.resolver(), worker.pool(), DialOptions());
}

Task<bool> Dial(Connection& connection, DialPermit permit) {
  Binding binding = permit.binding();
  auto end = co_await Race(DialRecorded(connection.worker, *connection.record, DialFor(connection, std::move(permit))),
                           connection.stream->GoneGate());
  if (end.index() == 1) {
    connection.record->Fail({Side::kClient, Fault::kClientGone});
    co_return false;
  }
  DialOutcome& outcome = *std::get_if<0>(&end);
  if (!outcome.dialled) co_return co_await Refuse(connection, {Side::kUpstream, outcome.fault});
  connection.binding = std::move(binding);
  connection.upstream = std::move(outcome.dialled);
  co_return true;
}

Task<bool> JudgeAndDial(Connection& connection, const PolicyStack& stack) {
  StartRecord(connection);
  Result<Target, Fault> target = TargetOf(connection);
  if (!target) co_return co_await Refuse(connection, {Side::kClient, target.error()});
  connection.target = std::move(*target);
  connection.record->target = connection.target->ToString();
  std::optional<DialPermit> permit = co_await Judge(connection, stack);
  if (!permit || !co_await Dial(connection, std::move(*permit))) co_return false;
  connection.record.OpenTunnel();
  co_return true;
}

}  // namespace

Task<bool> DecideTransparent(Connection& connection, const PolicyStack& stack) {
  const Endpoint& original = *connection.original_destination;
  const bool own_socket = connection.listener->transparent == Transparent::kRedirect && original == connection.local;
  const std::optional<Decision> loop = connection.worker.policy().JudgeLoop(original, own_socket);
  if (loop) co_return co_await Refuse(connection, *loop);
  if (!connection.protocol) co_return true;
  connection.judge_requests = connection.protocol == Protocol::kHttp;
  co_return connection.judge_requests || co_await JudgeAndDial(connection, stack);
}

}  // namespace egret
