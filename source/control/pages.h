// What probes and scrapers ask: /ready and /metrics.
#pragma once

#include <time.h>

#include <cstdint>
#include <string_view>

#include "source/control/hub.h"
#include "source/control/roster.h"
#include "source/server/admin.h"
#include "source/server/metrics_text.h"

namespace egret {

class ControlPages final : public AdminPages {
 public:
  // Both outlive it.
  ControlPages(const Hub& hub, const Roster& roster) : hub_(hub), roster_(roster) {}
  Task<AdminReply> Answer(AdminRequest request) override;
  bool guarded() const override { return false; }

 private:
  AdminReply Reply(const AdminRequest& request) const;
  AdminReply Ready() const;
  MetricsText Metrics(std::string_view accept) const;

  const Hub& hub_;
  const Roster& roster_;
  const int64_t started_unix_ = time(nullptr);
};

}  // namespace egret
