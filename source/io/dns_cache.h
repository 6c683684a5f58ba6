// Names and what was learned about them, bounded: the name used least recently goes first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "source/base/failure.h"
#include "source/base/ip.h"
#include "source/base/list.h"

namespace egret {

struct DnsRecord {
  std::vector<IpAddress> addresses;  // or, where it has none, why
  Fault fault = Fault::kNone;
  uint64_t expires_ms = 0;  // of the loop's clock
};

class DnsCache {
 public:
  explicit DnsCache(size_t most) : most_(most) {}

  // Null where the name is unknown or its record has expired. Valid until the next Put.
  const DnsRecord* Find(const std::string& name, uint64_t now_ms);
  // True where another name had to go before its time.
  bool Put(const std::string& name, DnsRecord record, uint64_t now_ms);
  size_t size() const { return nodes_.size(); }

 private:
  struct Node : ListNode {
    DnsRecord record;
    const std::string* name = nullptr;
  };
  size_t most_;
  std::unordered_map<std::string, Node> nodes_;
  ListNode by_use_;  // first: used least recently
};

}  // namespace egret
