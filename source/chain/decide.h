// What the policy in force decides, stage by stage (policy/policy.h); and, while a preview runs, beside it what a
// candidate would decide. Filters ask here. Without a preview that costs the look at one pointer.
#pragma once

#include "source/chain/record.h"
#include "source/chain/worker.h"
#include "source/policy/policy.h"

namespace egret {

Ruling<Admission> DecideTarget(Worker& worker, ExchangeRecord* record, const PolicyStack& stack, const Facts& facts,
                               Ask ask);
AddressRuling DecideAddress(Worker& worker, ExchangeRecord* record, const Admission& admission, const Facts& facts);
AddressRuling DecideRemote(Worker& worker, ExchangeRecord* record, const Admission& admission, const Facts& facts,
                           const ConfiguredTarget& next_hop);
HelloRuling DecideHello(Worker& worker, ExchangeRecord* record, const Binding& binding, const PolicyStack& stack,
                        const Facts& facts);
Ruling<RequestPermit> DecideRequest(Worker& worker, ExchangeRecord* record, const Binding& binding,
                                    const PolicyStack& stack, const Facts& facts);

// For a pooled link that was taken: `live` is what Policy::Admit or AdmitRemote said of it. Only compares.
void PreviewAdmitted(Worker& worker, ExchangeRecord* record, const Admission& admission, const Facts& facts,
                     const IpAddress& peer, const Decision& live);
void PreviewAdmitted(Worker& worker, ExchangeRecord* record, const Admission& admission, const Facts& facts,
                     const ConfiguredTarget& next_hop, const Decision& live);

}  // namespace egret
