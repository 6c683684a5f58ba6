// What happens on other threads, for the config thread to take in. Thread-safe.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "source/xds/ads_stream.h"

namespace egret {

class Inbox final : public AdsListener {
 public:
  using Clock = std::chrono::steady_clock;
  // More than one response waits only while a configuration is put in force.
  static constexpr size_t kMostBytes = size_t{64} << 20;
  static constexpr size_t kMostResponses = 1000;

  struct End {
    int code;
    std::string message;
  };
  struct Events {
    std::vector<DiscoveryResponse> responses;  // of the stream that is listened to
    std::optional<End> end;                    // of the same, after the responses
    bool stop = false;
  };

  // Only what this stream says counts from now on.
  void ListenTo(uint64_t stream);
  void Stop();
  // Waits until there is something, or until then.
  Events Wait(Clock::time_point until);

  bool OnResponse(uint64_t stream, DiscoveryResponse response) override;
  void OnEnd(uint64_t stream, int code, const std::string& message) override;

 private:
  std::mutex mutex_;
  std::condition_variable something_;
  uint64_t stream_ = 0;
  size_t bytes_ = 0;
  Events events_;
};

}  // namespace egret
