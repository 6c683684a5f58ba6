// A stream of news to an operator, made on a thread of its own, which may wait: what comes meanwhile is added up by
// whoever makes it, not queued here.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

namespace egret {

// Deletes itself once gRPC is done with it; `Begin` once it is made.
template <class News>
class NewsCall : public grpc::ServerWriteReactor<News> {
 public:
  void Begin() {
    thread_ = std::thread([this] { this->Finish(Run()); });
  }

 protected:
  ~NewsCall() override = default;

  // On its own thread. Ends the stream with what it gives; returns soon after `gone`.
  virtual grpc::Status Run() = 0;

  // Waits until gRPC has taken it. False: the operator is gone.
  bool Write(const News& news) {
    std::unique_lock lock(mutex_);
    if (gone_) return false;
    written_.reset();
    this->StartWrite(&news);
    changed_.wait(lock, [this] { return written_.has_value(); });
    return *written_;
  }
  // False: the operator is gone.
  bool WaitFor(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex_);
    return !changed_.wait_for(lock, time, [this] { return gone_; });
  }

 private:
  void OnWriteDone(bool ok) override {
    const std::lock_guard lock(mutex_);
    written_ = ok;
    changed_.notify_all();
  }
  void OnCancel() override {
    const std::lock_guard lock(mutex_);
    gone_ = true;
    changed_.notify_all();
  }
  void OnDone() override {
    thread_.join();
    delete this;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<bool> written_;
  bool gone_ = false;
  std::thread thread_;
};

// One that ends before it begins.
template <class News>
class RefusedCall final : public grpc::ServerWriteReactor<News> {
 public:
  explicit RefusedCall(const grpc::Status& why) { this->Finish(why); }

 private:
  void OnDone() override { delete this; }
};

}  // namespace egret
