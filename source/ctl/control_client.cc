#include "source/ctl/control_client.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <sys/un.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "source/base/strings.h"
#include "source/config/file.h"

namespace egret {
namespace {

constexpr size_t kMostPem = size_t{1} << 20;
constexpr std::chrono::seconds kAnswerWithin{10};

constexpr std::string_view kUnix = "unix:";
constexpr size_t kLongestPath = sizeof(sockaddr_un::sun_path) - 1;

bool IsLocal(std::string_view control) { return control.starts_with(kUnix); }

}  // namespace

std::vector<std::string> ControlsOf(const Given& given) {
  std::vector<std::string> controls = given.All("--control");
  if (controls.empty()) controls.emplace_back("unix:/run/egret/control.sock");
  return controls;
}

std::optional<Problem> WrongWithControls(const Given& given) {
  const std::vector<std::string> controls = ControlsOf(given);
  for (const std::string& control : controls)
    if (IsLocal(control) && control.size() > kUnix.size() + kLongestPath)
      return Problem{Cat(control, ": a socket's path has at most ", kLongestPath, " bytes")};
  const bool local = std::all_of(controls.begin(), controls.end(), IsLocal);
  const bool all = given.Has("--tls-ca") && given.Has("--tls-cert") && given.Has("--tls-key");
  if (!local && !all) return Problem{"not by a Unix socket, it needs --tls-ca, --tls-cert and --tls-key"};
  return std::nullopt;
}

Result<std::shared_ptr<grpc::Channel>, Problem> ChannelTo(const std::string& control, const Given& given) {
  std::shared_ptr<grpc::ChannelCredentials> credentials = grpc::InsecureChannelCredentials();
  if (!IsLocal(control)) {
    grpc::SslCredentialsOptions tls;
    for (const auto& [flag, into] :
         {std::pair("--tls-ca", &tls.pem_root_certs), std::pair("--tls-cert", &tls.pem_cert_chain),
          std::pair("--tls-key", &tls.pem_private_key)}) {
      const std::string file = given.Get(flag);
      auto text = ReadWholeFile(file, kMostPem);
      if (!text) return Problem{Cat(file, ": ", text.error().why)};
      *into = std::move(*text);
    }
    credentials = grpc::SslCredentials(tls);
  }
  grpc::ChannelArguments options;
  options.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  options.SetMaxReceiveMessageSize(-1);  // a fleet may be large, and we asked
  return grpc::CreateCustomChannel(control, credentials, options);
}

void SetDeadline(grpc::ClientContext& context) {
  context.set_deadline(std::chrono::system_clock::now() + kAnswerWithin);
}

}  // namespace egret
