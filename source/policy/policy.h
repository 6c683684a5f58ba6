// The decision procedure. A Policy is every policy of one snapshot, compiled and immutable; workers share it. A
// decision asks no network and takes the same time for ten names as for a million.
//
//   stage     newly known                                     call
//   T target  source, identity, name or literal, port         DecideTarget   -> Admission
//   A address resolved addresses                              DecideAddress  -> DialPermit (and RequestPermit)
//   H hello   protocol and SNI of what a tunnel carries       DecideHello    -> RelayPermit or InspectPermit
//   R request each request inside an inspected tunnel         DecideRequest  -> RequestPermit
//
// At each stage a rule is true, false or (on facts that may still come) unknown; of each policy the unknown rules
// before the first true one, and that one, may still decide. Only what every one of them allows is allowed for good,
// only what every one denies is denied at once, and what is left open is decided by reading further. A stage whose
// facts leave open what they must settle denies.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "source/policy/decision.h"
#include "source/policy/facts.h"
#include "source/policy/guard.h"
#include "source/policy/permit.h"
#include "source/policy/stack.h"

namespace egret {

struct Program;  // program.h: the compiled rules

template <class T>
struct Ruling {
  Decision decision;
  std::optional<T> permit;  // where it is not denied
};

// A plain request is settled at A, so its RequestPermit comes with the DialPermit.
struct AddressRuling {
  Decision decision;
  std::optional<DialPermit> permit;
  std::optional<RequestPermit> request;  // only where the ask is Ask::kRequest
};

struct HelloRuling {
  Decision decision;
  std::optional<RelayPermit> relay;      // verdict kRelay
  std::optional<InspectPermit> inspect;  // verdict kInspect
};

// How much of a policy was compiled for it; the rest is that of the policy before it.
struct MadeOfPolicy {
  size_t policies = 0, domain_sets = 0;
};

class Policy {
 public:
  explicit Policy(std::unique_ptr<const Program> program);  // Compile() makes it
  ~Policy();
  Policy(const Policy&) = delete;
  Policy& operator=(const Policy&) = delete;

  uint64_t generation() const { return generation_; }  // of this process, rising
  const AddressGuard& guard() const;
  const MadeOfPolicy& made() const;
  std::vector<std::string_view> Names() const;
  bool Has(std::string_view policy) const;
  // Whether some rule of it can only be judged on decrypted requests, or asks that they be: a chain must then inspect.
  bool NeedsInspection(std::string_view policy) const;
  // Whether some rule asks for fingerprints of TLS clients, so that they have to be made.
  bool UsesFingerprints() const;
  // False while the policy is only audited (for the metric egret_policy_enforced).
  bool Enforced(std::string_view policy, int64_t now) const;
  // When a rule's window or an audit next begins or ends, after `now`: live tunnels are judged again then.
  std::optional<int64_t> NextBoundary(int64_t now) const;

  // Before all stages, where a connection was turned here: denied where it wanted to reach this very proxy
  // (`own_socket`: the caller knows that it did).
  std::optional<Decision> JudgeLoop(const Endpoint& original, bool own_socket) const;
  // Denied because a name does not resolve to where a redirected connection wanted to go.
  static Decision OtherAddress(Stage stage);

  // T. Denied here, a name is never resolved. kContinue or kChallenge (407).
  Ruling<Admission> DecideTarget(const PolicyStack& stack, const Facts& facts, Ask ask) const;
  // A. `facts.resolved` as the resolver gave it; a literal target needs none. kContinue for a tunnel, kForward for a
  // request.
  AddressRuling DecideAddress(const Admission& admission, const Facts& facts) const;
  // A, where a parent proxy resolves the name: no address is seen, so rules on resolved addresses do not match and the
  // guard can judge literals only. An explicit choice of the operator; the reason says "resolved_by_parent".
  AddressRuling DecideRemote(const Admission& admission, const Facts& facts, const ConfiguredTarget& next_hop) const;
  // H. Target and addresses are those that were dialled, whatever the facts say.
  HelloRuling DecideHello(const Binding& binding, const PolicyStack& stack, const Facts& facts) const;
  // R. `facts.target` is the inner request's own; another than the tunnel's is kMisdirected (421).
  Ruling<RequestPermit> DecideRequest(const Binding& binding, const PolicyStack& stack, const Facts& facts) const;
  // A and R at once for a pooled link whose peer is `live_peer`, without DNS. Also for a request inside a tunnel.
  Ruling<RequestPermit> Admit(const Admission& admission, const Facts& facts, const IpAddress& live_peer) const;
  // The same for a pooled link through a parent proxy that resolves.
  Ruling<RequestPermit> AdmitRemote(const Admission& admission, const Facts& facts,
                                    const ConfiguredTarget& next_hop) const;
  // Whether a tunnel to `live_peer`, whatever it turns out to carry, can only be inspected or refused: then it may be
  // answered before anything is dialled.
  bool OnlyInspects(const Admission& admission, const Facts& facts, const IpAddress& live_peer) const;

  // How a live tunnel is in use when a newer policy judges it.
  enum class Live : uint8_t {
    kRelayed,
    kInspected,
    kRequest,  // a request in flight, judged on all its facts
  };
  // Judges what is open on its recorded facts: kContinue, or kDeny with kPolicyRevoked or kInspectionNowRequired.
  // Without `peer` (a parent resolved the name) no address is judged.
  Decision Reconsider(const Binding& binding, const std::optional<IpAddress>& peer, const PolicyStack& stack,
                      const Facts& facts, Live live) const;

  const Program& program() const { return *program_; }  // for explain

 private:
  DialPermit Permit(const Admission& admission, const Decision& decision) const;
  static void Hand(AddressRuling& ruling, const Admission& admission, DialPermit permit);
  template <class Permit>
  static Permit Use(const Binding& binding);

  std::unique_ptr<const Program> program_;
  uint64_t generation_;
};

}  // namespace egret
