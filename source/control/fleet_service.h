// What proxies report and are told, as a gRPC service on the port of discovery: who reports is who its certificate
// says, and its discovery stream is here as well.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include "egret/control/v1/fleet.grpc.pb.h"
#include "source/control/roster.h"
#include "source/control/switchboard.h"

namespace egret {

class FleetService final : public control::v1::Fleet::CallbackService {
 public:
  // Both outlive the server that this is registered with.
  FleetService(Roster& roster, Switchboard& switchboard) : roster_(roster), switchboard_(switchboard) {}

  grpc::ServerBidiReactor<control::v1::Report, control::v1::Command>* Connect(
      grpc::CallbackServerContext* context) override;

 private:
  Roster& roster_;
  Switchboard& switchboard_;
};

}  // namespace egret
