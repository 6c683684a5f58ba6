// The gRPC server of the control plane's services.
#pragma once

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <memory>
#include <string>
#include <vector>

#include "source/base/result.h"

namespace egret {

struct ServerTlsFiles {
  std::string certificate, key;  // empty: in clear
  std::string client_ca;         // empty: clients show no certificate
};

struct GrpcServer {
  std::unique_ptr<grpc::Server> server;
  std::string address;  // with the port that was given for 0
};

// Serves from now on, with the standard services for health and reflection beside. The files are read again while it
// runs. `address` is an IP address and port, or unix:PATH; the services outlive the
// server.
Result<GrpcServer, Problem> StartGrpcServer(const std::string& address, const ServerTlsFiles& tls,
                                            const std::vector<grpc::Service*>& services);

}  // namespace egret
