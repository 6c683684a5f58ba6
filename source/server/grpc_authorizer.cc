#include "source/server/grpc_authorizer.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/channel_arguments.h>
#include <grpcpp/support/client_callback.h>

#include <atomic>
#include <chrono>
#include <string>
#include <utility>

#include "envoy/service/auth/v3/external_auth.grpc.pb.h"
#include "source/base/strings.h"
#include "source/event/loop.h"
#include "source/server/authz_messages.h"
#include "source/xds/grpc_channel.h"

namespace egret {
namespace {

using envoy::service::auth::v3::Authorization;
using envoy::service::auth::v3::CheckRequest;
using envoy::service::auth::v3::CheckResponse;

constexpr int kMostAnswerBytes = 1 << 20;

// What lives until the last question has its answer.
struct Line {
  std::unique_ptr<Authorization::Stub> stub;
  mutable std::atomic<uint32_t> under_way = 0;
};

// What is not one of these may be about an answer that came: too long, or not to be read.
bool IsNoAnswer(grpc::StatusCode code) {
  return code == grpc::StatusCode::UNAVAILABLE || code == grpc::StatusCode::DEADLINE_EXCEEDED;
}

// One question. gRPC shares it until it has called back, whoever else has let go of it.
struct Flight {
  std::shared_ptr<const Line> line;
  grpc::ClientContext context;
  CheckRequest request;
  CheckResponse response;
  std::shared_ptr<Mailbox> loop;
  std::shared_ptr<Pending<AuthzAnswer>::State> state;

  void Land(const grpc::Status& status) {
    line->under_way.fetch_sub(1, std::memory_order_relaxed);
    AuthzAnswer answer;
    if (status.ok()) {
      answer = AnswerOf(response);
    } else {
      answer.verdict =
          IsNoAnswer(status.error_code()) ? AuthzAnswer::Verdict::kNone : AuthzAnswer::Verdict::kUnreadable;
      answer.problem = Cat("gRPC status ", static_cast<int>(status.error_code()), ": ", status.error_message());
    }
    Pending<AuthzAnswer>::FulfilFrom(loop, std::move(state), std::move(answer));
  }
};

class FlightCall final : public Authorizer::Call {
 public:
  explicit FlightCall(std::shared_ptr<Flight> flight) : flight_(std::move(flight)) {}
  ~FlightCall() override { flight_->context.TryCancel(); }  // nothing, where it has its answer

 private:
  std::shared_ptr<Flight> flight_;
};

class GrpcAuthorizer final : public Authorizer {
 public:
  GrpcAuthorizer(std::shared_ptr<const Line> line, const AuthorizerTarget& target)
      : line_(std::move(line)), timeout_(target.timeout_ms), max_calls_(target.max_calls) {}

  std::unique_ptr<Call> Ask(const AuthzQuestion& question, const Pending<AuthzAnswer>& answer) const override {
    if (line_->under_way.fetch_add(1, std::memory_order_relaxed) >= max_calls_) {
      line_->under_way.fetch_sub(1, std::memory_order_relaxed);
      AuthzAnswer none;
      none.problem = "too many questions wait for their answers";
      Pending<AuthzAnswer>::Fulfil(*answer.state(), std::move(none));
      return nullptr;
    }
    const auto flight = std::make_shared<Flight>();
    flight->line = line_;
    flight->loop = Loop::current()->mailbox();
    flight->state = answer.state();
    flight->context.set_deadline(std::chrono::system_clock::now() + timeout_);
    Put(question, flight->request);
    line_->stub->async()->Check(&flight->context, &flight->request, &flight->response,
                                [flight](const grpc::Status& status) { flight->Land(status); });
    return std::make_unique<FlightCall>(flight);
  }

 private:
  const std::shared_ptr<const Line> line_;
  const std::chrono::milliseconds timeout_;
  const uint32_t max_calls_;
};

}  // namespace

std::shared_ptr<const Authorizer> OpenGrpcAuthorizer(const AuthorizerTarget& target) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMostAnswerBytes);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 30'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 2000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  arguments.SetLoadBalancingPolicyName("round_robin");  // over all addresses of the name
  auto line = std::make_shared<Line>();
  line->stub = Authorization::NewStub(OpenGrpcChannel(target.address, target.tls, arguments));
  return std::make_shared<const GrpcAuthorizer>(std::move(line), target);
}

}  // namespace egret
