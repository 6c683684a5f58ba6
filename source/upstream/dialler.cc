#include "source/upstream/dialler.h"

#include <utility>

#include "source/event/combine.h"
#include "source/event/nursery.h"
#include "source/event/wait.h"
#include "source/upstream/parent.h"

namespace egret {
namespace {

// Asks a parent for vetted addresses as DialAny dials them: the next one after a while, or at once where one has
// failed; the first that the parent reaches wins. The others' connections are closed with this.
class TunnelContest {
 public:
  TunnelContest(const DialPermit& permit, const ParentAccess& access, const std::string& via)
      : addresses_(DialOrder(permit.addresses(), access.options.max_attempts)),
        port_(permit.target().port),
        access_(access),
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
        co_await GateWithin(changed_, access_.options.attempt_ms);
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
    Asked asked = co_await AskParent(access_, to.ToString(), via_);
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
  const ParentAccess& access_;
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

Task<DialOutcome> Dialler::Parent(DialPermit permit, const NextHop& hop, Resolver& resolver, DialOptions options,
                                  bool http2) {
  CHECK(permit.next_hop().has_value());
  ParentLink link = co_await ReachParent(hop, resolver, options, http2);
  DialOutcome outcome;
  outcome.handshakes = std::move(link.handshakes);
  if (link.stream == nullptr) {
    outcome.fault = link.fault;
    outcome.failed = std::move(link.failed);
  } else {
    outcome.dialled = Dialled(permit, std::move(link.stream), link.peer, link.tls);
  }
  co_return outcome;
}

Task<DialOutcome> Dialler::Tunnel(DialPermit permit, const NextHop& hop, Resolver& resolver, UpstreamPool& pool,
                                  DialOptions options, std::string via) {
  return permit.next_hop() ? TunnelToName(std::move(permit), hop, resolver, pool, options, std::move(via))
                           : TunnelToAddress(std::move(permit), hop, resolver, pool, options, std::move(via));
}

Task<DialOutcome> Dialler::TunnelToName(DialPermit permit, const NextHop& hop, Resolver& resolver, UpstreamPool& pool,
                                        DialOptions options, std::string via) {
  const ParentAccess access{hop, resolver, pool, options};
  DialOutcome outcome;
  std::optional<Asked> asked =
      co_await WithDeadline(AskParent(access, permit.target().ToString(), via), options.connect_timeout_ms);
  outcome.fault = asked ? asked->answer.fault : Fault::kConnectTimeout;
  if (asked) outcome.handshakes = std::move(asked->handshakes);
  if (asked && asked->stream != nullptr) outcome.dialled = Dialled(permit, std::move(asked->stream), asked->parent);
  co_return outcome;
}

Task<DialOutcome> Dialler::TunnelToAddress(DialPermit permit, const NextHop& hop, Resolver& resolver,
                                           UpstreamPool& pool, DialOptions options, std::string via) {
  const ParentAccess access{hop, resolver, pool, options};
  TunnelContest contest(permit, access, via);
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
