#include "source/xds/server_stream.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/channel_arguments.h>
#include <grpcpp/support/client_callback.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

#include "egret/control/v1/fleet.grpc.pb.h"
#include "envoy/service/discovery/v3/ads.grpc.pb.h"
#include "source/xds/grpc_channel.h"

namespace egret {
namespace {

using control::v1::Fleet;
using envoy::service::discovery::v3::AggregatedDiscoveryService;

// What is begun of it from outside gRPC's own calls it may do so for as long as it reads.
template <class Sent, class Received>
class GrpcStream final : public ServerStream<Sent>, private grpc::ClientBidiReactor<Sent, Received> {
 public:
  // `begin(context, reactor)`: calls by a stub, and gives it.
  template <class Begin>
  GrpcStream(uint64_t id, StreamListener<Received>& listener, const Begin& begin) : id_(id), listener_(listener) {
    stub_ = begin(&context_, static_cast<grpc::ClientBidiReactor<Sent, Received>*>(this));
    this->AddHold();  // taken off when reading ends
    this->StartRead(&incoming_);
    this->StartCall();
  }

  ~GrpcStream() override {
    context_.TryCancel();
    std::unique_lock lock(mutex_);
    if (resting_) ReadOn();  // so that the end is seen
    ended_.wait(lock, [&] { return done_; });
  }

  void Send(Sent message) override {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    outbox_.push_back(std::move(message));
    if (outbox_.size() == 1) this->StartWrite(&outbox_.front());
  }

  size_t waiting() override {
    const std::lock_guard lock(mutex_);
    return outbox_.size();
  }

  void Resume() override {
    const std::lock_guard lock(mutex_);
    if (resting_) ReadOn();
  }

 private:
  void OnReadDone(bool ok) override {
    if (ok) {
      const bool more = listener_.OnReceived(id_, std::exchange(incoming_, {}));
      const std::lock_guard lock(mutex_);
      resting_ = true;
      if (more) ReadOn();
      return;
    }
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    this->RemoveHold();
  }

  void OnWriteDone(bool ok) override {
    const std::lock_guard lock(mutex_);
    outbox_.pop_front();
    if (!ok || closed_) outbox_.clear();  // what is wrong, reading says
    if (!outbox_.empty()) this->StartWrite(&outbox_.front());
  }

  void OnDone(const grpc::Status& status) override {
    listener_.OnEnd(id_, static_cast<int>(status.error_code()), status.error_message());
    const std::lock_guard lock(mutex_);
    done_ = true;
    ended_.notify_all();
  }

  void ReadOn() {
    resting_ = false;
    this->StartRead(&incoming_);
  }

  const uint64_t id_;
  StreamListener<Received>& listener_;
  std::shared_ptr<void> stub_;
  grpc::ClientContext context_;
  Received incoming_;  // gRPC's while a read is under way
  std::mutex mutex_;
  std::condition_variable ended_;
  std::deque<Sent> outbox_;  // its front is being written
  bool resting_ = false;     // no read is under way
  bool closed_ = false;
  bool done_ = false;
};

}  // namespace

ServerChannel OpenChannel(const AdsTarget& target) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(target.max_message_bytes);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, target.keepalive_ms);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, target.keepalive_timeout_ms);
  // When it is tried again is for Reconnect to say.
  return OpenGrpcChannel(target.address, target.tls, arguments);
}

std::unique_ptr<AdsStream> OpenAdsStream(const ServerChannel& channel, uint64_t id, AdsListener& listener) {
  const auto begin = [&](grpc::ClientContext* context, auto* reactor) {
    std::shared_ptr<AggregatedDiscoveryService::Stub> stub = AggregatedDiscoveryService::NewStub(channel);
    stub->async()->DeltaAggregatedResources(context, reactor);
    return stub;
  };
  return std::make_unique<GrpcStream<DiscoveryRequest, DiscoveryResponse>>(id, listener, begin);
}

std::unique_ptr<FleetStream> OpenFleetStream(const ServerChannel& channel, uint64_t id, FleetListener& listener) {
  const auto begin = [&](grpc::ClientContext* context, auto* reactor) {
    std::shared_ptr<Fleet::Stub> stub = Fleet::NewStub(channel);
    stub->async()->Connect(context, reactor);
    return stub;
  };
  return std::make_unique<GrpcStream<control::v1::Report, control::v1::Command>>(id, listener, begin);
}

}  // namespace egret
