// A server of the bootstrap as gRPC needs it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/base/result.h"
#include "source/config/client_pem.h"

namespace egret {

struct AdsTarget {
  std::string address;           // host:port
  std::optional<ClientPem> tls;  // none: in clear
  int max_message_bytes = 0;
  int keepalive_ms = 30'000;          // a quiet connection is asked for a sign of life
  int keepalive_timeout_ms = 10'000;  // ... and given up without one
};

// Reads the secrets anew. The problem names secret and field.
Result<AdsTarget, Problem> TargetOf(const config::v1::Bootstrap& bootstrap, size_t server);
// The files that it reads.
std::vector<std::string> FilesOf(const config::v1::Bootstrap& bootstrap, size_t server);

}  // namespace egret
