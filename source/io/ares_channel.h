// c-ares (1.18) on a loop: asks the servers for one name and one family at a time. It knows no cache, no files and no
// search list.
#pragma once

#include <ares.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "source/base/ip.h"
#include "source/event/loop.h"

namespace egret {

struct DnsAnswer {
  enum Kind : uint8_t { kAddresses, kNoData, kNotFound, kTimeout, kFailed } kind = kFailed;
  std::vector<IpAddress> addresses;
  uint32_t ttl_s = 0;  // the smallest of the chain
};

class DnsReceiver {
 public:
  virtual ~DnsReceiver() = default;
  virtual void Answered(DnsAnswer answer, bool v6) = 0;
};

class AresChannel {
 public:
  // `timeout_ms`: after about this long c-ares has tried everything and gives up by itself.
  AresChannel(const std::vector<Endpoint>& servers, uint64_t timeout_ms);
  // Every question that is still open is answered (kFailed) in here.
  ~AresChannel();
  AresChannel(const AresChannel&) = delete;
  AresChannel& operator=(const AresChannel&) = delete;

  // Answers exactly once, possibly inside this call. The receiver is held until then. `name` ends in a dot.
  void Ask(const std::string& name, bool v6, std::shared_ptr<DnsReceiver> receiver);
  size_t open_questions() const { return open_; }

 private:
  struct Question;
  struct Socket;
  struct Tick : Timer {
    AresChannel* channel = nullptr;
  };
  void SetServers(const std::vector<Endpoint>& servers);
  static void OnSocketState(void* self, int fd, int readable, int writable);
  static void OnReply(void* question, int status, int timeouts, unsigned char* bytes, int size);
  void Process(int read_fd, int write_fd);
  void ArmTick();

  ares_channel channel_ = nullptr;
  std::unordered_map<int, std::unique_ptr<Socket>> sockets_;
  Tick tick_;
  uint64_t tick_ms_;
  size_t open_ = 0;
};

}  // namespace egret
