// gRPC's connection to a server that the operator named.
#pragma once

#include <grpcpp/support/channel_arguments.h>

#include <memory>
#include <optional>
#include <string>

#include "source/config/client_pem.h"

namespace grpc {
class Channel;
}

namespace egret {

// Of its own, made when it is first needed. `address`: host:port. `tls`: none, in clear.
std::shared_ptr<grpc::Channel> OpenGrpcChannel(const std::string& address, const std::optional<ClientPem>& tls,
                                               grpc::ChannelArguments arguments);

}  // namespace egret
