// What is exposed to Prometheus: the workers' counters, merged when asked for.
#pragma once

#include <prometheus/metric_family.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "source/chain/access_log.h"
#include "source/chain/counters.h"
#include "source/server/configuration.h"
#include "source/server/key_fetches.h"
#include "source/server/memory.h"
#include "source/server/worker_thread.h"
#include "source/xds/push_status.h"

namespace egret {

// Decisions by policy, rule, action, stage.
using DecisionTable = std::map<std::tuple<std::string, std::string, std::string, std::string>, uint64_t>;
// What would have been decided, by policy, rule, result.
using AuditTable = std::map<std::tuple<std::string, std::string, std::string>, uint64_t>;

struct MetricsInput {
  std::vector<const WorkerThread*> workers;
  DecisionTable decisions;  // of all workers
  AuditTable audits;
  std::map<std::string, bool> policies_enforced;
  const LogQueue* log = nullptr;
  uint64_t secrets_renewed = 0, secrets_failed = 0;
  std::map<std::string, int64_t> certificates_end;  // by secret, seconds since 1970
  std::vector<KeyFetchStatus> key_fetches;
  size_t taps_open = 0;
  bool tls_key_log_active = false;
  uint64_t tapped = 0, tap_dropped = 0;  // exchanges
  bool preview_running = false;
  uint64_t previewed = 0, preview_changed = 0, preview_skipped = 0;  // decisions
  bool ready = false;                                                // as /ready says
  bool draining = false;
  uint64_t connections_limit = 0;  // 0: none
  uint64_t config_errors = 0;      // of what should be in force
  std::optional<MemoryReading> memory;
  int64_t started_unix = 0;
  std::shared_ptr<const PushStatus> pushed;  // null: nothing is
  MadeCounts made;
};

std::vector<prometheus::MetricFamily> CollectMetrics(const MetricsInput& input);

}  // namespace egret
