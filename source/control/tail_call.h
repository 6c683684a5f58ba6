// Decisions or lines of the access logs of a group's proxies, for one operator: begins and ends with the stream. Where
// more comes than is taken, lines are lost and counted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>

#include "egret/control/v1/control.pb.h"
#include "source/control/latecomers.h"
#include "source/control/news_call.h"
#include "source/control/switchboard.h"

namespace egret {

class TailCall final : public NewsCall<control::v1::TailNews>, private Switchboard::Audience {
 public:
  static constexpr size_t kMostBytes = size_t{1} << 20;  // that wait for the operator

  // The request and the switchboard outlive the stream.
  TailCall(const control::v1::TailRequest& request, Switchboard& switchboard);

 private:
  using News = control::v1::TailNews;

  grpc::Status Run() override;
  void Follow();
  void Hear(const Switchboard::Proxy& proxy, const control::v1::Report& report) override;
  News Next();

  const control::v1::TailRequest& request_;
  Switchboard& switchboard_;
  const std::string id_;
  Latecomers late_;

  std::mutex mutex_;
  News waiting_;
  size_t bytes_ = 0;      // of it
  uint64_t dropped_ = 0;  // since the last one
};

}  // namespace egret
