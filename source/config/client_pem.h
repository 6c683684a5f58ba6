// What a ClientTls names, as PEM: for a library that brings its own TLS (gRPC).
#pragma once

#include <string>

#include "egret/config/v1/common.pb.h"
#include "source/base/result.h"
#include "source/config/secret_table.h"

namespace egret {

struct ClientPem {
  std::string roots_pem;
  std::string certificate_pem;  // empty: none is shown
  std::string key_pem;
  std::string server_name;  // empty: the host of the address
};

// Reads the secrets anew. The problem names secret and field.
Result<ClientPem, Problem> ReadClientPem(const SecretTable& secrets, const config::v1::ClientTls& message);

}  // namespace egret
