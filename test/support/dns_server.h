// A name server that follows a script, on 127.0.0.1 over UDP and TCP of one free port, in a thread of its own.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "source/base/ip.h"

namespace egret {

constexpr uint16_t kDnsA = 1, kDnsCname = 5, kDnsAaaa = 28;
constexpr uint8_t kDnsServFail = 2, kDnsNxDomain = 3, kDnsRefused = 5;

struct DnsQuestion {
  std::string name;  // as it was sent, without the last dot
  uint16_t type = 0;
  bool tcp = false;
  int nth = 0;  // of this name, type and transport, from 1
};

struct DnsRr {
  std::string name;
  uint16_t type = 0;
  uint32_t ttl = 0;
  std::string data;
};

struct DnsReply {
  uint8_t rcode = 0;
  std::vector<DnsRr> answers;
  bool truncated = false;
  bool wrong_id = false;
  bool wrong_question = false;
  bool drop = false;    // no answer, ever
  bool hold = false;    // UDP only: none before Release()
  bool garble = false;  // the answer section ends in the middle

  DnsReply& Add(const std::string& name, const std::string& address, uint32_t ttl = 60);  // A or AAAA by its form
  DnsReply& AddCname(const std::string& name, const std::string& target, uint32_t ttl = 60);
};

class DnsServer {
 public:
  using Script = std::function<DnsReply(const DnsQuestion&)>;

  explicit DnsServer(Script script);  // called on the server's thread
  ~DnsServer();
  DnsServer(const DnsServer&) = delete;
  DnsServer& operator=(const DnsServer&) = delete;

  Endpoint endpoint() const { return endpoint_; }
  std::vector<DnsQuestion> seen();
  void Release();  // sends what is held, and holds no more

 private:
  struct Held {
    std::string bytes;
    Endpoint to;
  };
  void Serve();
  void ServeUdp();
  void ServeTcp();
  std::string Answer(const std::string& query, bool tcp, DnsReply& reply);
  void SendUdp(const std::string& bytes, const Endpoint& to);

  Script script_;
  Endpoint endpoint_;
  int udp_ = -1, tcp_ = -1, wake_ = -1;
  std::mutex mutex_;
  std::vector<DnsQuestion> seen_;
  std::map<std::string, int> times_;
  std::vector<Held> held_;
  bool stop_ = false, released_ = false;
  std::thread thread_;  // last: it uses the rest
};

}  // namespace egret
