// Aggregated discovery, the incremental variant, as a gRPC service: who asks is who its certificate says, and each
// stream is one DeltaSession that follows its group's publications.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <string>

#include "envoy/service/discovery/v3/ads.grpc.pb.h"
#include "source/control/hub.h"
#include "source/control/roster.h"

namespace egret {

class AdsService final : public envoy::service::discovery::v3::AggregatedDiscoveryService::CallbackService {
 public:
  // Both outlive the server that this is registered with.
  AdsService(std::string control_plane, Hub& hub, Roster& roster)
      : control_plane_(std::move(control_plane)), hub_(hub), roster_(roster) {}

  grpc::ServerBidiReactor<DeltaRequest, DeltaResponse>* DeltaAggregatedResources(
      grpc::CallbackServerContext* context) override;

 private:
  const std::string control_plane_;
  Hub& hub_;
  Roster& roster_;
};

}  // namespace egret
