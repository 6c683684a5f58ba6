// Exchanges and tunnels of every kind, as scripts for ProxyBench, each with what it comes to where nobody interferes.
#pragma once

#include <span>
#include <string>

#include "test/support/proxy_bench.h"

namespace egret {

struct Scenario {
  const char* name;
  BenchSetup setup;
  ProxyBench::ClientScript client;
  // Everything the clients hear, one answer a line: status and content; what a tunnel carried stands behind "> ".
  std::string hears;
  // The closing lines of the access log, a line each: the members that are named, in this order.
  std::string logs;
  struct More {
    size_t origin_connections = 1;
    // The origins' requests, a line each, and whether they showed the parent's credentials; empty: not looked at.
    std::string asked = {};
    std::string or_asked = {};  // requests, raw, that they may hear besides where a connection is lost
    bool head = false;          // every request is a HEAD
    bool end_is_all = false;    // an answer's content ends where the origin ends
  } more = {};
};

std::span<const Scenario> Scenarios();

}  // namespace egret
