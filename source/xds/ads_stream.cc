#include "source/xds/ads_stream.h"

#include <grpc/support/log.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>
#include <grpcpp/support/client_callback.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

#include "envoy/service/discovery/v3/ads.grpc.pb.h"
#include "source/base/log.h"
#include "source/base/strings.h"

namespace egret {
namespace {

using envoy::service::discovery::v3::AggregatedDiscoveryService;

std::shared_ptr<grpc::Channel> MakeChannel(const AdsTarget& target) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(target.max_message_bytes);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, target.keepalive_ms);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, target.keepalive_timeout_ms);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);  // as many as it takes
  // A connection of our own: when it is tried again is for Reconnect to say.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  // The environment's http_proxy is for others: this may be the very proxy.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  if (!target.tls)
    return grpc::CreateCustomChannel(Cat("dns:///", target.address), grpc::InsecureChannelCredentials(), arguments);
  if (!target.tls->server_name.empty()) arguments.SetSslTargetNameOverride(target.tls->server_name);
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = target.tls->roots_pem;
  options.pem_cert_chain = target.tls->certificate_pem;
  options.pem_private_key = target.tls->key_pem;
  return grpc::CreateCustomChannel(Cat("dns:///", target.address), grpc::SslCredentials(options), arguments);
}

// gRPC writes to standard error by itself, a line for each attempt. What matters of it comes as the end of a stream.
void QuietenGrpc() {
  static std::once_flag once;
  std::call_once(once, [] {
    gpr_set_log_function(
        [](gpr_log_func_args* line) { Log(LogComponent::kConfig, LogLevel::kDebug, "grpc: ", line->message); });
  });
}

class GrpcStream final : public AdsStream, private grpc::ClientBidiReactor<DiscoveryRequest, DiscoveryResponse> {
 public:
  GrpcStream(const AdsTarget& target, uint64_t id, AdsListener& listener)
      : id_(id), listener_(listener), stub_(AggregatedDiscoveryService::NewStub(MakeChannel(target))) {
    stub_->async()->DeltaAggregatedResources(&context_, this);
    AddHold();  // for what is begun from outside gRPC's own calls; taken off when reading ends
    StartRead(&incoming_);
    StartCall();
  }

  ~GrpcStream() override {
    context_.TryCancel();
    std::unique_lock lock(mutex_);
    if (resting_) ReadOn();  // so that the end is seen
    ended_.wait(lock, [&] { return done_; });
  }

  void Send(DiscoveryRequest request) override {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    outbox_.push_back(std::move(request));
    if (outbox_.size() == 1) StartWrite(&outbox_.front());
  }

  void Resume() override {
    const std::lock_guard lock(mutex_);
    if (resting_) ReadOn();
  }

 private:
  void OnReadDone(bool ok) override {
    if (ok) {
      const bool more = listener_.OnResponse(id_, std::exchange(incoming_, {}));
      const std::lock_guard lock(mutex_);
      resting_ = true;
      if (more) ReadOn();
      return;
    }
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    RemoveHold();
  }

  void OnWriteDone(bool ok) override {
    const std::lock_guard lock(mutex_);
    outbox_.pop_front();
    if (!ok || closed_) outbox_.clear();  // what is wrong, reading says
    if (!outbox_.empty()) StartWrite(&outbox_.front());
  }

  void OnDone(const grpc::Status& status) override {
    listener_.OnEnd(id_, static_cast<int>(status.error_code()), status.error_message());
    const std::lock_guard lock(mutex_);
    done_ = true;
    ended_.notify_all();
  }

  void ReadOn() {
    resting_ = false;
    StartRead(&incoming_);
  }

  const uint64_t id_;
  AdsListener& listener_;
  const std::unique_ptr<AggregatedDiscoveryService::Stub> stub_;
  grpc::ClientContext context_;
  DiscoveryResponse incoming_;  // gRPC's while a read is under way
  std::mutex mutex_;
  std::condition_variable ended_;
  std::deque<DiscoveryRequest> outbox_;  // its front is being written
  bool resting_ = false;                 // no read is under way
  bool closed_ = false;
  bool done_ = false;
};

}  // namespace

std::unique_ptr<AdsStream> OpenAdsStream(const AdsTarget& target, uint64_t id, AdsListener& listener) {
  QuietenGrpc();
  return std::make_unique<GrpcStream>(target, id, listener);
}

}  // namespace egret
