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
#include "source/ctl/fleet_table.h"

namespace egret {
namespace {

using control::v1::StatusRequest;
using control::v1::StatusResponse;

constexpr size_t kMostPem = size_t{1} << 20;
constexpr std::chrono::seconds kAnswerWithin{10};

struct StatusOptions {
  std::string control = "unix:/run/egret/control.sock";
  std::string group;
  std::string output = "table";
  std::string tls_ca, tls_cert, tls_key;
};

constexpr std::pair<std::string_view, std::string StatusOptions::*> kOptions[] = {
    {"--control", &StatusOptions::control},   {"--group", &StatusOptions::group},
    {"--output", &StatusOptions::output},     {"--tls-ca", &StatusOptions::tls_ca},
    {"--tls-cert", &StatusOptions::tls_cert}, {"--tls-key", &StatusOptions::tls_key},
};

std::string StatusOptions::* FieldOf(std::string_view name) {
  for (const auto& [option, field] : kOptions)
    if (option == name) return field;
  return nullptr;
}

Result<StatusOptions, Problem> Parse(std::span<const std::string> arguments) {
  StatusOptions options;
  for (size_t i = 0; i < arguments.size(); ++i) {
    std::string_view rest = arguments[i];
    const bool joined = rest.find('=') != rest.npos;
    const std::string_view name = SplitFirst(rest, '=');
    const auto field = FieldOf(name);
    if (field == nullptr) return Problem{Cat("no option ", name)};
    if (!joined && i + 1 == arguments.size()) return Problem{Cat("no value after ", name)};
    options.*field = joined ? std::string(rest) : arguments[++i];
  }
  if (options.output != "table" && options.output != "json") return Problem{Cat("no output ", options.output)};
  const bool local = options.control.starts_with("unix:");
  const bool all = !options.tls_ca.empty() && !options.tls_cert.empty() && !options.tls_key.empty();
  if (!local && !all) return Problem{"not by a Unix socket, it needs --tls-ca, --tls-cert and --tls-key"};
  return options;
}

Result<std::shared_ptr<grpc::ChannelCredentials>, Problem> CredentialsFor(const StatusOptions& options) {
  if (options.control.starts_with("unix:")) return grpc::InsecureChannelCredentials();
  grpc::SslCredentialsOptions tls;
  for (const auto& [file, into] :
       {std::pair(&options.tls_ca, &tls.pem_root_certs), std::pair(&options.tls_cert, &tls.pem_cert_chain),
        std::pair(&options.tls_key, &tls.pem_private_key)}) {
    auto text = ReadWholeFile(*file, kMostPem);
    if (!text) return Problem{Cat(*file, ": ", text.error().why)};
    *into = std::move(*text);
  }
  return grpc::SslCredentials(tls);
}

Result<StatusResponse, Problem> Ask(const StatusOptions& options) {
  const auto credentials = CredentialsFor(options);
  if (!credentials) return credentials.error();
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetMaxReceiveMessageSize(-1);  // a fleet may be large, and we asked
  const auto stub = control::v1::Control::NewStub(grpc::CreateCustomChannel(options.control, *credentials, arguments));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kAnswerWithin);
  StatusRequest request;
  request.set_group(options.group);
  StatusResponse response;
  const grpc::Status status = stub->Status(&context, request, &response);
  if (!status.ok()) return Problem{Cat(options.control, ": ", status.error_message())};
  return response;
}

}  // namespace

int RunStatus(std::span<const std::string> arguments, Output& output) {
  const auto options = Parse(arguments);
  if (!options) return Misuse("status", options.error().text, output);
  const auto status = Ask(*options);
  if (!status) {
    Append(output.err, "egretctl status: ", status.error().text, "\n");
    return kNotReached;
  }
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  output.out = options->output == "json"
                   ? ToCanonicalJson(*status)
                   : FleetTable(*status, std::chrono::duration_cast<std::chrono::seconds>(now).count());
  return AllInForce(*status) ? kDone : kRefused;
}

}  // namespace egret
