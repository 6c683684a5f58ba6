// Who is at the other end of a call, and whether it may be who it says.
#pragma once

#include <grpcpp/server_context.h>

#include <string>
#include <vector>

#include "envoy/config/core/v3/base.pb.h"

namespace egret {

struct Peer {
  std::string address;             // "ipv4:10.0.0.7:40112"
  bool certified = false;          // a certificate was shown and verified
  std::vector<std::string> names;  // the alternative names in it
};
Peer PeerOf(const grpc::ServerContextBase& context);

// OK, or why a node must not be served: it says no name, or one that its certificate does not have. Without client
// certificates it is who it says it is, and gets no secrets.
grpc::Status Admit(const Peer& peer, const envoy::config::core::v3::Node& node);

}  // namespace egret
