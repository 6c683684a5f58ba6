// What operators ask, as a gRPC service.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <string>
#include <vector>

#include "egret/control/v1/control.grpc.pb.h"
#include "source/control/hub.h"
#include "source/control/roster.h"

namespace egret {

class ControlService final : public control::v1::Control::CallbackService {
 public:
  // `viewers`: names of certificates that may ask; whoever reaches it without a certificate (by a Unix socket) may.
  // Hub and roster outlive it.
  ControlService(std::string identifier, std::vector<std::string> viewers, const Hub& hub, const Roster& roster)
      : identifier_(std::move(identifier)), viewers_(std::move(viewers)), hub_(hub), roster_(roster) {}

  grpc::ServerUnaryReactor* Status(grpc::CallbackServerContext* context, const control::v1::StatusRequest* request,
                                   control::v1::StatusResponse* response) override;

 private:
  grpc::Status Admit(const grpc::ServerContextBase& context) const;

  const std::string identifier_;
  const std::vector<std::string> viewers_;
  const Hub& hub_;
  const Roster& roster_;
};

}  // namespace egret
