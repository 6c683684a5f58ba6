// proxy_protocol: who is behind a load balancer. From a trusted address a PROXY header, version 1 or 2, has to come
// first; it is taken off, and the connection goes on with the addresses that it tells. Of anybody else nothing is read:
// the connection goes on with its own address, which is what policy judges, and a header that it sends is no more than
// a malformed beginning of whatever is spoken here.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "source/base/ip.h"
#include "source/chain/filter.h"

namespace egret {

struct ProxyProtocolOptions {
  std::vector<Cidr> trusted;
  uint64_t timeout_ms = 5000;  // for the whole header
};

class ProxyProtocolFilter final : public NetworkFilter {
 public:
  explicit ProxyProtocolFilter(ProxyProtocolOptions options) : options_(std::move(options)) {}
  [[clang::coro_wrapper]] Task<void> Handle(Connection& connection, NetworkNext next) const override;

 private:
  ProxyProtocolOptions options_;
};

}  // namespace egret
