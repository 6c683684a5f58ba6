#include "source/ctl/drain.h"

#include <optional>
#include <string>

#include "egret/control/v1/control.grpc.pb.h"
#include "source/base/strings.h"

namespace egret {
namespace {

int DrainGroup(const Given& given, Output& output) {
  control::v1::DrainRequest request;
  request.set_group(given.Get("--group"));
  request.set_proxy(given.Get("--proxy"));
  uint32_t told = 0;
  for (const std::string& control : ControlsOf(given)) {
    const auto channel = ChannelTo(control, given);
    grpc::ClientContext context;
    SetDeadline(context);
    control::v1::DrainResponse response;
    const grpc::Status status = channel ? control::v1::Control::NewStub(*channel)->Drain(&context, request, &response)
                                        : grpc::Status(grpc::StatusCode::UNAVAILABLE, channel.error().text);
    if (!status.ok()) Append(output.err, "egretctl drain: ", control, ": ", status.error_message(), "\n");
    told += response.told();
  }
  Append(output.out, "draining: ", told, told == 1 ? " proxy\n" : " proxies\n");
  if (!output.err.empty()) return kNotReached;
  return told > 0 ? kDone : kRefused;
}

std::optional<Problem> WrongWith(const Given& given) {
  if (!given.words().empty()) return Problem{Cat(given.words().front(), ": one word too many")};
  const bool group = given.Has("--group");
  if (!group && (given.Has("--proxy") || given.Has("--control"))) return Problem{"which --group?"};
  if (group && (given.Has("--admin") || given.Has("--quit")))
    return Problem{"--admin and --quit are about one proxy, --group is about those of a control plane"};
  return group ? WrongWithControls(given) : std::nullopt;
}

}  // namespace

int RunDrain(std::span<const std::string> arguments, Output& output) {
  const auto given = ParseArguments(kDrainFlags, arguments);
  if (!given) return Misuse("drain", given.error().text, output);
  if (const auto wrong = WrongWith(*given)) return Misuse("drain", wrong->text, output);
  if (given->Has("--group")) return DrainGroup(*given, output);
  const auto answer = AskAdmin(given->Get("--admin", kDefaultAdmin), "POST",
                               given->Has("--quit") ? "/quitquitquit" : "/drain_listeners");
  if (!answer) {
    Append(output.err, "egretctl drain: ", answer.error().text, "\n");
    return kNotReached;
  }
  output.out += "draining\n";
  return kDone;
}

}  // namespace egret
