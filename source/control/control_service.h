// What operators ask, as a gRPC service.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <string>
#include <vector>

#include "egret/control/v1/control.grpc.pb.h"
#include "source/control/change_watch.h"
#include "source/control/hub.h"
#include "source/control/library.h"
#include "source/control/rollouts.h"
#include "source/control/roster.h"
#include "source/control/switchboard.h"

namespace egret {

class ControlService final : public control::v1::Control::CallbackService {
 public:
  // Names of certificates: viewers may look, operators may command as well. Whoever reaches it without a certificate
  // (by a Unix socket) may do both.
  struct Names {
    std::vector<std::string> viewers, operators;
  };
  // What it is made of outlives it.
  struct Parts {
    const Hub& hub;
    const Library& library;
    const Roster& roster;
    Rollouts& rollouts;
    Switchboard& switchboard;
    ChangeWatch& watch;
  };
  ControlService(std::string identifier, Names names, const Parts& parts)
      : identifier_(std::move(identifier)), names_(std::move(names)), parts_(parts) {}

  using Reactor = grpc::ServerUnaryReactor;
  Reactor* Status(grpc::CallbackServerContext* context, const control::v1::StatusRequest* request,
                  control::v1::StatusResponse* response) override;
  Reactor* Advance(grpc::CallbackServerContext* context, const control::v1::AdvanceRequest* request,
                   control::v1::Rollout* response) override;
  Reactor* Halt(grpc::CallbackServerContext* context, const control::v1::HaltRequest* request,
                control::v1::Rollout* response) override;
  Reactor* Drain(grpc::CallbackServerContext* context, const control::v1::DrainRequest* request,
                 control::v1::DrainResponse* response) override;
  grpc::ServerWriteReactor<control::v1::PreviewNews>* Preview(grpc::CallbackServerContext* context,
                                                              const control::v1::PreviewRequest* request) override;
  grpc::ServerWriteReactor<control::v1::TailNews>* Tail(grpc::CallbackServerContext* context,
                                                        const control::v1::TailRequest* request) override;

 private:
  enum class May : uint8_t { kLook, kCommand };
  // By which name it may; or why not.
  Result<std::string, grpc::Status> Admit(const grpc::ServerContextBase& context, May what) const;
  // Whether an operator may ask that of the group's proxies, and there is such a group.
  Result<std::string, grpc::Status> AdmitTo(const std::string& group, const grpc::ServerContextBase& context) const;
  grpc::Status Fill(const control::v1::StatusRequest& request, control::v1::StatusResponse& response) const;

  const std::string identifier_;
  const Names names_;
  const Parts parts_;
};

}  // namespace egret
