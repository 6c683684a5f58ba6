#include "source/xds/grpc_channel.h"

#include <grpc/support/log.h>
#include <grpcpp/channel.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <mutex>

#include "source/base/log.h"
#include "source/base/strings.h"

namespace egret {
namespace {

// gRPC writes to standard error by itself, a line for each attempt. What matters of it comes as the end of a stream.
void QuietenGrpc() {
  static std::once_flag once;
  std::call_once(once, [] {
    gpr_set_log_function(
        [](gpr_log_func_args* line) { Log(LogComponent::kConfig, LogLevel::kDebug, "grpc: ", line->message); });
  });
}

}  // namespace

std::shared_ptr<grpc::Channel> OpenGrpcChannel(const std::string& address, const std::optional<ClientPem>& tls,
                                               grpc::ChannelArguments arguments) {
  QuietenGrpc();
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);  // as many as it takes
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  // The environment's http_proxy is for others: this may be the very proxy.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  const std::string target = Cat("dns:///", address);
  if (!tls) return grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), arguments);
  if (!tls->server_name.empty()) arguments.SetSslTargetNameOverride(tls->server_name);
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = tls->roots_pem;
  options.pem_cert_chain = tls->certificate_pem;
  options.pem_private_key = tls->key_pem;
  return grpc::CreateCustomChannel(target, grpc::SslCredentials(options), arguments);
}

}  // namespace egret
