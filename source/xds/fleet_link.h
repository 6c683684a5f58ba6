// The second stream to the control plane, beside discovery and on its connection: what this proxy is at, every 5 s, and
// what it is told to do. A control plane that does not have it is left alone; nothing of it can harm discovery. On the
// config thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/xds/fleet_host.h"
#include "source/xds/inbox.h"
#include "source/xds/push_status.h"
#include "source/xds/reconnect.h"
#include "source/xds/resource_report.h"
#include "source/xds/server_stream.h"

namespace egret {

class FleetLink {
 public:
  using Ms = int64_t;
  using StatusPtr = std::shared_ptr<const PushStatus>;
  static constexpr Ms kReportEvery = 5'000;
  static constexpr Ms kSoonest = 250;  // after the one before, where the host has something that is waited for

  // Inbox and host outlive it.
  FleetLink(const config::v1::Bootstrap& bootstrap, std::string_view release, Inbox& inbox, FleetHost& host);

  // `channel`: the connection on which `server` answers discovery; null: there is none. Begins or ends the stream with
  // it, and reports what is due.
  void Tick(const ServerChannel& channel, const std::string& server, const StatusPtr& status, Ms now);
  Ms NextTick() const;
  // The host has something to tell before its time.
  void Hurry() { next_ = std::min(next_, last_report_ + kSoonest); }

  void Take(const std::vector<control::v1::Command>& commands);
  void OnEnd(const Inbox::End& end, Ms now);

 private:
  void Open(const ServerChannel& channel);
  void Close();
  void Report(const StatusPtr& status, Ms now);

  const DiscoveryNode node_;
  const std::string release_;
  Inbox& inbox_;
  FleetHost& host_;
  Reconnect reconnect_;
  ServerChannel channel_;    // that was used last
  std::string server_;       // at its other end
  bool left_alone_ = false;  // for as long as this connection lives
  std::string told_;         // what the log said last
  Ms next_ = 0;              // report, or attempt
  Ms last_report_ = 0;
  ResourceReport resources_;
  bool first_ = true;   // of the stream is what is to be reported next
  StatusPtr reported_;  // as it was at the last report
  uint64_t last_id_ = 0;
  std::unique_ptr<FleetStream> stream_;
};

}  // namespace egret
