// When to try which server again. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>

namespace egret {

// Servers are tried in order, each at once after the one before it; after the last one there is a pause, which doubles
// from 0.5 s to 30 s and is spread by half of itself, so that a fleet does not come back at one moment. A server that
// has answered, not just taken the connection, makes the pause short again, and the first one is preferred again.
class Reconnect {
 public:
  static constexpr int64_t kShortestMs = 500;
  static constexpr int64_t kLongestMs = 30'000;

  Reconnect(size_t servers, uint64_t seed) : servers_(servers), random_(seed) {}

  size_t server() const { return server_; }  // whose turn it is
  void Answered() { answered_ = true; }
  // The stream has ended, or there never was one: in how many milliseconds to try `server()`.
  int64_t Ended();

 private:
  const size_t servers_;
  std::mt19937_64 random_;
  size_t server_ = 0;
  int64_t pause_ms_ = kShortestMs;
  bool answered_ = false;
};

}  // namespace egret
