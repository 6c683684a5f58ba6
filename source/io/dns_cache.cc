#include "source/io/dns_cache.h"

#include <utility>

namespace egret {

const DnsRecord* DnsCache::Find(const std::string& name, uint64_t now_ms) {
  const auto found = nodes_.find(name);
  if (found == nodes_.end()) return nullptr;
  Node& node = found->second;
  if (now_ms >= node.record.expires_ms) {
    nodes_.erase(found);
    return nullptr;
  }
  by_use_.PushBack(node);
  return &node.record;
}

bool DnsCache::Put(const std::string& name, DnsRecord record, uint64_t now_ms) {
  if (most_ == 0) return false;
  const auto [at, added] = nodes_.try_emplace(name);
  Node& node = at->second;
  node.name = &at->first;
  node.record = std::move(record);
  by_use_.PushBack(node);
  if (!added || nodes_.size() <= most_) return false;
  const auto& oldest = static_cast<const Node&>(*by_use_.first());
  const bool early = now_ms < oldest.record.expires_ms;
  nodes_.erase(nodes_.find(*oldest.name));
  return early;
}

}  // namespace egret
