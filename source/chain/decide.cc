#include "source/chain/decide.h"

#include "source/chain/preview.h"

namespace egret {
namespace {

// `decide`: what a policy says to the question that `live` answers. Permits of the candidate die where they are made.
template <class Decide>
void Beside(Worker& worker, ExchangeRecord* record, const Facts& facts, const Target& target, const Decision& live,
            const Decide& decide) {
  Preview* const preview = worker.preview();
  if (preview == nullptr) [[likely]]
    return;
  const Policy* const candidate = preview->Candidate(worker.loop().now_ms(), record);
  if (candidate != nullptr) preview->Compare(facts, target, record, live, decide(*candidate).decision);
}

}  // namespace

Ruling<Admission> DecideTarget(Worker& worker, ExchangeRecord* record, const PolicyStack& stack, const Facts& facts,
                               Ask ask) {
  const auto decide = [&](const Policy& policy) { return policy.DecideTarget(stack, facts, ask); };
  Ruling<Admission> ruling = decide(worker.policy());
  if (facts.target != nullptr) Beside(worker, record, facts, *facts.target, ruling.decision, decide);
  return ruling;
}

AddressRuling DecideAddress(Worker& worker, ExchangeRecord* record, const Admission& admission, const Facts& facts) {
  const auto decide = [&](const Policy& policy) { return policy.DecideAddress(admission, facts); };
  AddressRuling ruling = decide(worker.policy());
  Beside(worker, record, facts, admission.target(), ruling.decision, decide);
  return ruling;
}

AddressRuling DecideRemote(Worker& worker, ExchangeRecord* record, const Admission& admission, const Facts& facts,
                           const ConfiguredTarget& next_hop) {
  const auto decide = [&](const Policy& policy) { return policy.DecideRemote(admission, facts, next_hop); };
  AddressRuling ruling = decide(worker.policy());
  Beside(worker, record, facts, admission.target(), ruling.decision, decide);
  return ruling;
}

HelloRuling DecideHello(Worker& worker, ExchangeRecord* record, const Binding& binding, const PolicyStack& stack,
                        const Facts& facts) {
  const auto decide = [&](const Policy& policy) { return policy.DecideHello(binding, stack, facts); };
  HelloRuling ruling = decide(worker.policy());
  Beside(worker, record, facts, binding.target, ruling.decision, decide);
  return ruling;
}

Ruling<RequestPermit> DecideRequest(Worker& worker, ExchangeRecord* record, const Binding& binding,
                                    const PolicyStack& stack, const Facts& facts) {
  const auto decide = [&](const Policy& policy) { return policy.DecideRequest(binding, stack, facts); };
  Ruling<RequestPermit> ruling = decide(worker.policy());
  Beside(worker, record, facts, binding.target, ruling.decision, decide);
  return ruling;
}

void PreviewAdmitted(Worker& worker, ExchangeRecord* record, const Admission& admission, const Facts& facts,
                     const IpAddress& peer, const Decision& live) {
  Beside(worker, record, facts, admission.target(), live,
         [&](const Policy& policy) { return policy.Admit(admission, facts, peer); });
}

void PreviewAdmitted(Worker& worker, ExchangeRecord* record, const Admission& admission, const Facts& facts,
                     const ConfiguredTarget& next_hop, const Decision& live) {
  Beside(worker, record, facts, admission.target(), live,
         [&](const Policy& policy) { return policy.AdmitRemote(admission, facts, next_hop); });
}

}  // namespace egret
