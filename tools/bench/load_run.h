// What all clients of the load share: the plan, the loop that wakes them, and the account of what they did.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "source/base/ip.h"
#include "tools/bench/sockets.h"

namespace egret::bench {

using Clock = std::chrono::steady_clock;

struct Plan {
  enum class Work : uint8_t { kForward, kConnect, kTunnel };
  Work work = Work::kForward;
  bool tls = false;         // with the proxy
  bool inside = false;      // TLS with the target, through a tunnel
  bool handshakes = false;  // each operation on a connection of its own
  bool http2 = false;
  Endpoint proxy;
  std::vector<Endpoint> targets;  // in turn, so that no pair of addresses runs out of ports
  size_t names = 0;               // in turn, of the targets: n0.bench.test, ...; 0: they are asked for by address
  std::string path;
  std::optional<uint64_t> answer_bytes;  // instead of a path
  std::string scheme = "http";           // of what is asked for over HTTP/2
  std::string content_type;              // of requests over HTTP/2; empty: none
  size_t connections = 32;
  size_t streams = 1;  // of each connection of HTTP/2
  double rate = 0;     // operations a second that are due, whatever the proxy does; 0: as many as it can do
};

// How long a run goes on: for so many operations, or (0) for so long. Each client does one at least.
struct Extent {
  double seconds = 0;
  uint64_t operations = 0;
};

struct Totals {
  uint64_t operations = 0, errors = 0, bytes = 0;
  std::vector<uint32_t> latencies_us;
};

class Run;

// "name:80" without the port.
inline std::string HostOf(std::string_view authority) { return std::string(authority.substr(0, authority.rfind(':'))); }

// A connection. It begins an operation, or as many as it may have outstanding, and when one ends the next, until the
// run has no more for it. Where the plan has a rate it asks the run for its next turn.
class Client {
 public:
  virtual ~Client() = default;
  virtual void Begin() = 0;
  virtual void OnEvent(uint32_t events) = 0;
};

class Run {
 public:
  static constexpr size_t kBufferBytes = size_t{256} * 1024;

  explicit Run(const Plan& plan);
  ~Run();

  // Ends when none is outstanding; gives the seconds that it took.
  double Go(const Extent& extent);

  const Totals& totals() const { return totals_; }
  uint32_t LatencyUs(double quantile);

  // For the clients.
  const Plan& plan() const { return plan_; }
  Poller& poller() { return poller_; }
  char* buffer() { return buffer_.get(); }
  bool more() const { return extent_.operations > 0 ? begun_ < extent_.operations : in_time_; }
  bool paced() const { return plan_.rate > 0; }
  // The client is idle: it begins again when the next operation is due.
  void AwaitTurn(Client& client) { idle_.push_back(&client); }
  std::string NextAuthority();
  // Of a paced run: when it was due, so that whatever holds operations up counts for each of them.
  Clock::time_point Began();
  void Received(size_t bytes) { totals_.bytes += bytes; }
  void Succeeded(Clock::time_point began);
  void Failed(std::string_view why);

 private:
  void BeginDue();
  std::chrono::nanoseconds Patience() const;

  const Plan plan_;
  const std::unique_ptr<char[]> buffer_;
  Poller poller_;
  Totals totals_;
  std::vector<std::unique_ptr<Client>> clients_;
  Extent extent_;
  bool in_time_ = false;
  uint64_t begun_ = 0;
  size_t outstanding_ = 0;
  std::vector<Client*> idle_;  // of a paced run
  Clock::time_point due_;      // ... when its next operation is
  size_t next_ = 0;
};

}  // namespace egret::bench
