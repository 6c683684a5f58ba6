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

#include "source/xds/server_stream.h"

namespace egret {

class Inbox final : public AdsListener {
 public:
  using Clock = std::chrono::steady_clock;
  // More than one response waits only while a configuration is put in force, or rests from it.
  static constexpr size_t kMostBytes = size_t{64} << 20;
  static constexpr size_t kMostResponses = 1000;
  static constexpr size_t kMostCommands = 100;

  struct End {
    int code;
    std::string message;
  };
  struct Events {
    std::vector<DiscoveryResponse> responses;    // of the stream that is listened to
    std::optional<End> end;                      // of the same, after the responses
    std::vector<control::v1::Command> commands;  // of the fleet's stream that is listened to
    std::optional<End> fleet_end;                // of the same, after the commands
    bool nudged = false;
    bool stop = false;
  };

  // Only what this stream says counts from now on.
  void ListenTo(uint64_t stream);
  void ListenToFleet(uint64_t stream);
  void Stop();
  // Somebody has something to report: Wait returns.
  void Nudge();
  // Waits until there is something, or until then. Responses of a stream that goes on stay here before
  // `responses_from`.
  Events Wait(Clock::time_point until, Clock::time_point responses_from = Clock::time_point::min());

  bool OnReceived(uint64_t stream, DiscoveryResponse response) override;
  void OnEnd(uint64_t stream, int code, const std::string& message) override;

  // What the fleet's stream tells.
  FleetListener& fleet() { return fleet_; }

 private:
  class Fleet final : public FleetListener {
   public:
    explicit Fleet(Inbox& inbox) : inbox_(inbox) {}
    bool OnReceived(uint64_t stream, control::v1::Command command) override;
    void OnEnd(uint64_t stream, int code, const std::string& message) override;

   private:
    Inbox& inbox_;
  };
  bool HasSomething(Clock::time_point responses_from) const;
  bool HasResponses(Clock::time_point from) const;

  std::mutex mutex_;
  std::condition_variable something_;
  uint64_t stream_ = 0;
  uint64_t fleet_stream_ = 0;
  size_t bytes_ = 0;
  Events events_;
  Fleet fleet_{*this};
};

}  // namespace egret
