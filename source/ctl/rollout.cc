#include "source/ctl/rollout.h"

#include <chrono>
#include <map>
#include <optional>
#include <vector>

#include "egret/control/v1/control.grpc.pb.h"
#include "source/base/strings.h"
#include "source/config/canonical.h"
#include "source/ctl/fleet_merge.h"
#include "source/ctl/rollout_table.h"

namespace egret {
namespace {

using control::v1::AdvanceRequest;
using control::v1::Control;
using control::v1::HaltRequest;
using control::v1::Rollout;
using control::v1::StatusRequest;
using control::v1::StatusResponse;

// One run of the command: asks every replica the same, and tells what came of it.
class Conversation {
 public:
  Conversation(const Given& given, Output& output) : given_(given), output_(output) {}

  int Status() {
    const auto status = Ask();
    if (!status) return status_;
    Show(*status);
    if (status_ == kDone && AnyHalted(*status)) status_ = kRefused;
    return status_;
  }

  int Advance() {
    AdvanceRequest request;
    request.set_group(given_.Get("--group"));
    request.set_percent(ParseDecimal<uint32_t>(given_.Get("--percent")).value_or(0));
    request.set_release(given_.Get("--release"));
    request.set_resume(given_.Has("--resume"));
    if (const auto most = ParseDecimal<uint32_t>(given_.Get("--most-changed")))
      request.set_most_changed_identities(*most);
    // A halt of any replica counts for all of them.
    const auto before = Ask();
    if (!before || status_ != kDone) return Fail("nothing is changed: every replica has to answer");
    if (AnyHalted(*before) && !request.resume()) {
      Show(*before);
      return Refuse("it is halted; put another release in its place, or --resume it");
    }
    return Tell([&](Control::Stub& stub, grpc::ClientContext& context, Rollout& rollout) {
      return stub.Advance(&context, request, &rollout);
    });
  }

  int Halt() {
    HaltRequest request;
    request.set_group(given_.Get("--group"));
    request.set_reason(given_.Get("--reason"));
    return Tell([&](Control::Stub& stub, grpc::ClientContext& context, Rollout& rollout) {
      return stub.Halt(&context, request, &rollout);
    });
  }

 private:
  std::optional<StatusResponse> Ask() {
    std::vector<StatusResponse> answers;
    StatusRequest request;
    request.set_group(given_.Get("--group"));
    ForEach([&](Control::Stub& stub, grpc::ClientContext& context) {
      StatusResponse answer;
      const grpc::Status status = stub.Status(&context, request, &answer);
      if (status.ok()) answers.push_back(std::move(answer));
      return status;
    });
    return answers.empty() ? std::nullopt : std::optional(Merge(answers));
  }

  template <class Call>
  int Tell(const Call& call) {
    ForEach([&](Control::Stub& stub, grpc::ClientContext& context) {
      Rollout rollout;
      return call(stub, context, rollout);
    });
    if (status_ != kDone) return status_;
    if (const auto now = Ask()) Show(*now);
    return status_;
  }

  template <class Call>
  void ForEach(const Call& call) {
    for (const std::string& control : ControlsOf(given_)) {
      const auto channel = ChannelTo(control, given_);
      if (!channel) {
        Fail(channel.error().text);
        continue;
      }
      const auto stub = Control::NewStub(*channel);
      grpc::ClientContext context;
      SetDeadline(context);
      const grpc::Status status = call(*stub, context);
      if (status.ok()) continue;
      const std::string text = Cat(control, ": ", status.error_message());
      const bool refused = status.error_code() == grpc::StatusCode::FAILED_PRECONDITION ||
                           status.error_code() == grpc::StatusCode::PERMISSION_DENIED;
      refused ? Refuse(text) : Fail(text);
    }
  }

  void Show(const StatusResponse& status) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    output_.out = given_.Get("--output") == "json"
                      ? ToCanonicalJson(RolloutsOf(status))
                      : RolloutTable(status, std::chrono::duration_cast<std::chrono::seconds>(now).count());
  }

  int Refuse(std::string_view why) { return End(kRefused, why); }
  int Fail(std::string_view why) { return End(kNotReached, why); }
  int End(int status, std::string_view why) {
    status_ = std::max(status_, status);
    Append(output_.err, "egretctl rollout: ", why, "\n");
    return status_;
  }

  const Given& given_;
  Output& output_;
  int status_ = kDone;
};

std::string WrongWith(const Given& given) {
  if (given.words().empty()) return Cat("what of it? say one of: ", kRolloutWords);
  if (given.words().size() > 1) return Cat(given.words()[1], ": one word too many");
  const std::string& word = given.words().front();
  if (word != "status" && word != "advance" && word != "halt") return Cat(word, " is none of: ", kRolloutWords);
  if (word != "status" && given.Get("--group").empty()) return "which --group?";
  const auto percent = ParseDecimal<uint32_t>(given.Get("--percent"));
  if (word == "advance" && (!percent || *percent == 0 || *percent > 100))
    return "to how many of 100? say --percent, 1 to 100";
  if (given.Has("--most-changed") && !ParseDecimal<uint32_t>(given.Get("--most-changed")))
    return "--most-changed takes a number of identities";
  return "";
}

}  // namespace

int RunRollout(std::span<const std::string> arguments, Output& output) {
  const auto given = ParseArguments(kRolloutFlags, arguments);
  if (!given) return Misuse("rollout", given.error().text, output);
  if (const std::string wrong = WrongWith(*given); !wrong.empty()) return Misuse("rollout", wrong, output);
  if (const auto wrong = WrongWithControls(*given)) return Misuse("rollout", wrong->text, output);
  Conversation conversation(*given, output);
  const std::string& word = given->words().front();
  if (word == "advance") return conversation.Advance();
  return word == "halt" ? conversation.Halt() : conversation.Status();
}

}  // namespace egret
