// A control plane in this process that does what a test says: it says nothing by itself.
#pragma once

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "envoy/service/discovery/v3/ads.grpc.pb.h"
#include "source/base/strings.h"
#include "source/xds/delta_state.h"

namespace egret {

class FakeAds final : public envoy::service::discovery::v3::AggregatedDiscoveryService::Service {
 public:
  // `beside`: another service on the same port; null: none.
  explicit FakeAds(std::shared_ptr<grpc::ServerCredentials> credentials = grpc::InsecureServerCredentials(),
                   grpc::Service* beside = nullptr) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", std::move(credentials), &port);
    builder.RegisterService(this);
    if (beside != nullptr) builder.RegisterService(beside);
    server_ = builder.BuildAndStart();
  }
  ~FakeAds() override { Stop(); }

  void Stop() {
    if (!server_) return;
    End(grpc::Status::OK);
    server_->Shutdown(std::chrono::system_clock::now());
    server_.reset();
  }

  std::string address() const { return Cat("127.0.0.1:", port); }

  // Waits for it; none: it did not come in a long time.
  std::optional<DiscoveryRequest> Next() {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, std::chrono::seconds(60), [&] { return !requests_.empty(); })) return std::nullopt;
    DiscoveryRequest request = std::move(requests_.front());
    requests_.pop_front();
    return request;
  }
  // On the stream that is there, once there is one.
  void Send(const DiscoveryResponse& response) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(60), [&] { return stream_ != nullptr; });
    if (stream_ != nullptr) stream_->Write(response);
  }
  // Ends the stream that is there; or the next one at once, where there is none.
  void End(grpc::Status status) {
    const std::lock_guard lock(mutex_);
    end_ = std::move(status);
    if (context_ != nullptr) context_->TryCancel();
  }
  // Streams that begin are ended with this at once.
  void Refuse(std::optional<grpc::Status> status) {
    const std::lock_guard lock(mutex_);
    refuse_ = std::move(status);
  }
  int streams() {
    const std::lock_guard lock(mutex_);
    return streams_;
  }

  int port = 0;

 private:
  using Stream = grpc::ServerReaderWriter<DiscoveryResponse, DiscoveryRequest>;

  grpc::Status DeltaAggregatedResources(grpc::ServerContext* context, Stream* stream) override {
    {
      const std::lock_guard lock(mutex_);
      ++streams_;
      if (refuse_) return *refuse_;
      requests_.clear();
      stream_ = stream;
      context_ = context;
      changed_.notify_all();
    }
    DiscoveryRequest request;
    while (stream->Read(&request)) {
      const std::lock_guard lock(mutex_);
      requests_.push_back(std::move(request));
      changed_.notify_all();
    }
    const std::lock_guard lock(mutex_);
    stream_ = nullptr;
    context_ = nullptr;
    return end_;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<DiscoveryRequest> requests_;
  Stream* stream_ = nullptr;
  grpc::ServerContext* context_ = nullptr;
  grpc::Status end_;
  std::optional<grpc::Status> refuse_;
  int streams_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace egret
