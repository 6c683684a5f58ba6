// What probes and scrapers ask: /ready and /metrics.
#pragma once

#include <string>

#include "source/control/hub.h"
#include "source/control/roster.h"
#include "source/server/admin.h"

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
  std::string Metrics() const;

  const Hub& hub_;
  const Roster& roster_;
};

}  // namespace egret
