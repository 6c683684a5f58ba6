// The preview of a candidate on the proxies of a group, for one operator: begins and ends with the stream. What proxies
// report of it is added up.
#pragma once

#include <google/protobuf/any.pb.h>

#include <chrono>
#include <map>
#include <mutex>
#include <set>
#include <string>

#include "egret/control/v1/control.pb.h"
#include "source/chain/change_table.h"
#include "source/control/group.h"
#include "source/control/latecomers.h"
#include "source/control/news_call.h"
#include "source/control/switchboard.h"

namespace egret {

class PreviewCall final : public NewsCall<control::v1::PreviewNews>, private Switchboard::Audience {
 public:
  // The request is checked; it and the switchboard outlive the stream.
  PreviewCall(const control::v1::PreviewRequest& request, GroupFiles files, Switchboard& switchboard);

 private:
  using News = control::v1::PreviewNews;
  using Clock = std::chrono::steady_clock;

  grpc::Status Run() override;
  grpc::Status Follow(const control::v1::Preview& preview);
  void Hear(const Switchboard::Proxy& proxy, const control::v1::Report& report) override;
  void Welcome(const std::string& proxy);
  void TakeIn(const std::string& proxy, const control::v1::PreviewStatus& status);
  // Tells those that have come since.
  void TellLate(const control::v1::Preview& preview, Clock::time_point end);
  News Next();
  bool AllEnded();

  const control::v1::PreviewRequest& request_;
  const GroupFiles files_;
  Switchboard& switchboard_;
  const std::string id_;
  Latecomers late_;

  std::mutex mutex_;
  size_t told_ = 0;
  std::map<std::string, control::v1::PreviewStatus> by_proxy_;
  control::v1::PreviewStatus past_;  // sums of those that came anew since
  std::set<std::string> refusals_;   // that are not told yet
  ChangeTable all_;                  // whatever proxies say, no more rows than this
  ChangeTable::Rows fresh_;
};

}  // namespace egret
