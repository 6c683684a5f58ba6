// Resolving and dialling with what was done, and how long it took, written into a record and the worker's counters.
#pragma once

#include <string>

#include "source/base/failure.h"
#include "source/base/result.h"
#include "source/chain/record.h"
#include "source/chain/worker.h"
#include "source/event/task.h"
#include "source/io/resolver.h"
#include "source/upstream/dialler.h"
#include "source/upstream/tls_handshake.h"

namespace egret {

// The references outlive the task.
Task<Result<Resolved, Fault>> ResolveRecorded(Worker& worker, ExchangeRecord& record, const std::string& name);

// How a handshake with an origin or a parent went.
void RecordHandshake(Worker& worker, ExchangeRecord& record, const TlsOutcome& outcome);

// `dial`: one of Dialler's, not yet begun.
Task<DialOutcome> DialRecorded(Worker& worker, ExchangeRecord& record, Task<DialOutcome> dial);

}  // namespace egret
