#include "source/control/grpc_server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <sys/stat.h>

#include <optional>
#include <utility>

#include "source/base/strings.h"
#include "source/config/file.h"

namespace egret {
namespace {

constexpr int kMostRequestBytes = 32 << 20;  // a proxy that comes back says all versions that it has
constexpr unsigned kReadFilesEvery = 10;     // seconds
constexpr size_t kMostPem = size_t{1} << 20;

std::optional<Problem> CheckFiles(const ServerTlsFiles& tls) {
  for (const std::string* file : {&tls.certificate, &tls.key, &tls.client_ca}) {
    if (file->empty()) continue;
    const auto text = ReadWholeFile(*file, kMostPem);
    if (!text) return Problem{Cat(*file, ": ", text.error().why)};
    if (text->find("-----BEGIN ") == std::string::npos) return Problem{Cat(*file, ": holds no PEM")};
  }
  return std::nullopt;
}

std::shared_ptr<grpc::ServerCredentials> CredentialsOf(const ServerTlsFiles& tls) {
  if (tls.certificate.empty()) return grpc::InsecureServerCredentials();
  namespace experimental = grpc::experimental;
  experimental::TlsServerCredentialsOptions options(std::make_shared<experimental::FileWatcherCertificateProvider>(
      tls.key, tls.certificate, tls.client_ca, kReadFilesEvery));
  options.watch_identity_key_cert_pairs();
  if (!tls.client_ca.empty()) {
    options.watch_root_certs();
    options.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  }
  return experimental::TlsServerCredentials(options);
}

}  // namespace

Result<GrpcServer, Problem> StartGrpcServer(const std::string& address, const ServerTlsFiles& tls,
                                            const std::vector<grpc::Service*>& services) {
  if (auto problem = CheckFiles(tls)) return *problem;
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(address, CredentialsOf(tls), &port);
  for (grpc::Service* service : services) builder.RegisterService(service);
  builder.SetMaxReceiveMessageSize(kMostRequestBytes);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);  // else two of us share a port, unseen
  // Proxies ask a quiet connection for a sign of life every 30 s; who is gone without a word is noticed as well.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 5'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 30'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  const mode_t before = umask(0177);  // a socket in the file system is its owner's
  GrpcServer started{.server = builder.BuildAndStart(), .address = {}};
  umask(before);
  if (!started.server || port == 0) return Problem{Cat("cannot listen on ", address)};
  started.address = address.starts_with("unix:") ? address : Cat(address.substr(0, address.rfind(':')), ":", port);
  return started;
}

}  // namespace egret
