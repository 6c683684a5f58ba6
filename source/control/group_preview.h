// A candidate beside what is in force on the proxies of a group: from Begin until this is destroyed. What they report
// of it is added up. Thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "egret/control/v1/control.pb.h"
#include "source/chain/change_table.h"
#include "source/control/latecomers.h"
#include "source/control/publication.h"
#include "source/control/switchboard.h"

namespace egret {

class GroupPreview final : private Switchboard::Audience {
 public:
  // An empty id is all of the group. The switchboard outlives it.
  GroupPreview(Switchboard& switchboard, Switchboard::Proxy whom, Anys resources, std::chrono::seconds time);
  GroupPreview(const GroupPreview&) = delete;
  GroupPreview& operator=(const GroupPreview&) = delete;
  ~GroupPreview();

  // False: too many follow something. Once.
  bool Begin();
  // Tells those that were away, or have come to the group.
  void TellLate();

  struct News {
    size_t told = 0, ended = 0;  // proxies
    uint64_t decisions = 0, skipped = 0, overflow = 0;
    // Since the last time:
    ChangeTable::Rows changes;
    std::vector<control::v1::ProxyRefusal> refusals;
  };
  News Take();

  // Its time is over, and whoever has seen that has said so.
  bool IsOver() const { return Clock::now() >= end_ + kLinger; }
  bool IsTimeOver() const { return Clock::now() >= end_; }
  // On all that were told, of whom there are some.
  bool HasEnded() const;

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds kLinger{6};  // a proxy that is in time reports within 5 s

  void Hear(const Switchboard::Proxy& proxy, const control::v1::Report& report) override;
  void Welcome(const std::string& proxy);
  control::v1::Command BeginFor(std::chrono::seconds time) const;

  Switchboard& switchboard_;
  const Switchboard::Proxy whom_;
  const std::string id_;
  const Anys resources_;
  const std::chrono::seconds time_;
  const Clock::time_point end_ = Clock::now() + time_;
  bool joined_ = false;
  Latecomers late_;

  mutable std::mutex mutex_;
  size_t told_ = 0;
  std::map<std::string, control::v1::PreviewStatus> by_proxy_;
  control::v1::PreviewStatus past_;  // sums of those that came anew since
  std::set<std::string> refusals_;   // that are not told yet
  ChangeTable all_;                  // whatever proxies say, no more rows than this
  ChangeTable::Rows fresh_;
};

}  // namespace egret
