#include "source/ctl/status.h"

#include <chrono>

#include "egret/control/v1/control.grpc.pb.h"
#include "source/base/strings.h"
#include "source/config/canonical.h"
#include "source/ctl/fleet_merge.h"
#include "source/ctl/fleet_table.h"

namespace egret {
namespace {

using control::v1::StatusRequest;
using control::v1::StatusResponse;

Result<StatusResponse, Problem> Ask(const std::string& control, const Given& given) {
  const auto channel = ChannelTo(control, given);
  if (!channel) return channel.error();
  grpc::ClientContext context;
  SetDeadline(context);
  StatusRequest request;
  request.set_group(given.Get("--group"));
  StatusResponse response;
  const grpc::Status status = control::v1::Control::NewStub(*channel)->Status(&context, request, &response);
  if (!status.ok()) return Problem{Cat(control, ": ", status.error_message())};
  return response;
}

}  // namespace

int RunStatus(std::span<const std::string> arguments, Output& output) {
  const auto given = ParseArguments(kStatusFlags, arguments);
  if (!given) return Misuse("status", given.error().text, output);
  if (!given->words().empty()) return Misuse("status", Cat(given->words().front(), ": one word too many"), output);
  if (const auto wrong = WrongWithControls(*given)) return Misuse("status", wrong->text, output);
  std::vector<StatusResponse> answers;
  for (const std::string& control : ControlsOf(*given)) {
    auto answer = Ask(control, *given);
    if (answer)
      answers.push_back(std::move(*answer));
    else
      Append(output.err, "egretctl status: ", answer.error().text, "\n");
  }
  if (answers.empty()) return kNotReached;
  const StatusResponse status = Merge(answers);
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  output.out = given->Get("--output") == "json"
                   ? ToCanonicalJson(status)
                   : FleetTable(status, std::chrono::duration_cast<std::chrono::seconds>(now).count());
  if (!output.err.empty()) return kNotReached;
  return AllInForce(status) ? kDone : kRefused;
}

}  // namespace egret
