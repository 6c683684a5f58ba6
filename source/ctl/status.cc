#include "source/ctl/status.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "egret/control/v1/control.grpc.pb.h"
#include "source/base/result.h"
#include "source/base/strings.h"
#include "source/config/canonical.h"
#include "source/config/file.h"
#include "source/ctl/flags.h"
#include "source/ctl/fleet_table.h"

namespace egret {
namespace {

using control::v1::StatusRequest;
using control::v1::StatusResponse;

constexpr std::string_view kDefaultControl = "unix:/run/egret/control.sock";
constexpr size_t kMostPem = size_t{1} << 20;
constexpr std::chrono::seconds kAnswerWithin{10};

Result<std::shared_ptr<grpc::ChannelCredentials>, Problem> CredentialsFor(const Given& given) {
  if (given.Get("--control", kDefaultControl).starts_with("unix:")) return grpc::InsecureChannelCredentials();
  grpc::SslCredentialsOptions tls;
  for (const auto& [flag, into] :
       {std::pair("--tls-ca", &tls.pem_root_certs), std::pair("--tls-cert", &tls.pem_cert_chain),
        std::pair("--tls-key", &tls.pem_private_key)}) {
    const std::string file = given.Get(flag);
    auto text = ReadWholeFile(file, kMostPem);
    if (!text) return Problem{Cat(file, ": ", text.error().why)};
    *into = std::move(*text);
  }
  return grpc::SslCredentials(tls);
}

Result<StatusResponse, Problem> Ask(const Given& given) {
  const std::string control = given.Get("--control", kDefaultControl);
  const auto credentials = CredentialsFor(given);
  if (!credentials) return credentials.error();
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetMaxReceiveMessageSize(-1);  // a fleet may be large, and we asked
  const auto stub = control::v1::Control::NewStub(grpc::CreateCustomChannel(control, *credentials, arguments));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kAnswerWithin);
  StatusRequest request;
  request.set_group(given.Get("--group"));
  StatusResponse response;
  const grpc::Status status = stub->Status(&context, request, &response);
  if (!status.ok()) return Problem{Cat(control, ": ", status.error_message())};
  return response;
}

std::optional<std::string> WrongWith(const Given& given) {
  if (!given.words().empty()) return Cat(given.words().front(), ": one word too many");
  const bool local = given.Get("--control", kDefaultControl).starts_with("unix:");
  const bool all = given.Has("--tls-ca") && given.Has("--tls-cert") && given.Has("--tls-key");
  if (!local && !all) return "not by a Unix socket, it needs --tls-ca, --tls-cert and --tls-key";
  return std::nullopt;
}

}  // namespace

int RunStatus(std::span<const std::string> arguments, Output& output) {
  const auto given = ParseArguments(kStatusFlags, arguments);
  if (!given) return Misuse("status", given.error().text, output);
  if (const auto wrong = WrongWith(*given)) return Misuse("status", *wrong, output);
  const auto status = Ask(*given);
  if (!status) {
    Append(output.err, "egretctl status: ", status.error().text, "\n");
    return kNotReached;
  }
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  output.out = given->Get("--output") == "json"
                   ? ToCanonicalJson(*status)
                   : FleetTable(*status, std::chrono::duration_cast<std::chrono::seconds>(now).count());
  return AllInForce(*status) ? kDone : kRefused;
}

}  // namespace egret
