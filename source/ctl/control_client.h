// How egretctl asks control planes: whom, and with which certificate.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "source/base/result.h"
#include "source/ctl/flags.h"

namespace egret {

// The options that all such commands have.
inline constexpr Flag kControlFlag{.name = "--control", .repeated = true};
inline constexpr Flag kTlsCaFlag{.name = "--tls-ca", .takes = Takes::kFile};
inline constexpr Flag kTlsCertFlag{.name = "--tls-cert", .takes = Takes::kFile};
inline constexpr Flag kTlsKeyFlag{.name = "--tls-key", .takes = Takes::kFile};

// At least one.
std::vector<std::string> ControlsOf(const Given& given);
// What is wrong with them; nothing: they can be asked.
std::optional<Problem> WrongWithControls(const Given& given);

// To one replica; nothing is sent yet.
Result<std::shared_ptr<grpc::Channel>, Problem> ChannelTo(const std::string& control, const Given& given);

// Whoever is asked answers within 10 s.
void SetDeadline(grpc::ClientContext& context);

}  // namespace egret
