// A thread that does one thing about once a second.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

namespace egret {

class Ticker {
 public:
  ~Ticker() { Stop(); }

  // Once; for the first time a second from now.
  void Start(std::function<void()> work) {
    thread_ = std::thread([this, work = std::move(work)] {
      std::unique_lock lock(mutex_);
      while (!stop_.wait_for(lock, std::chrono::seconds(1), [this] { return stopping_; })) {
        lock.unlock();
        work();
        lock.lock();
      }
    });
  }
  // Waits for work that is under way.
  void Stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    stop_.notify_all();
    if (thread_.joinable()) thread_.join();
  }

 private:
  std::mutex mutex_;
  std::condition_variable stop_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace egret
