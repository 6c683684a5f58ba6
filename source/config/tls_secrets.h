// Secrets -> TLS contexts, and anew when the files that they came from change.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/base/current.h"
#include "source/base/result.h"
#include "source/config/renewable.h"
#include "source/tls/tls_context.h"

namespace egret {

// Of a validated configuration. `alpn`: what is spoken inside, in order of preference. The problem names secret and
// field.
struct ServerTls {
  std::shared_ptr<const Current<TlsServerContext>> context;
  Renewable part;
};
Result<ServerTls, Problem> MakeServerTls(const SecretTable& secrets, const filters::network::v1::TlsTerminator& message,
                                         std::vector<std::string> alpn, std::string what);

// The other side: TLS to `host`, or to the server_name of `message`. `verify` false: whoever answers is believed.
struct ClientTls {
  std::shared_ptr<const Current<TlsClientContext>> context;
  std::string name;  // for whom the server's certificate has to be
  Renewable part;
};
Result<ClientTls, Problem> MakeClientTls(const SecretTable& secrets, const config::v1::ClientTls& message,
                                         const std::string& host, std::string what, bool verify = true);

}  // namespace egret
