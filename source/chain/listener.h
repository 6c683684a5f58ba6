// What a listener runs: filters that look, then the first chain that matches.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "source/base/ip.h"
#include "source/chain/filter.h"
#include "source/io/original_destination.h"
#include "source/policy/spec.h"
#include "source/upstream/next_hop.h"

namespace egret {

// All that is set must hold.
struct ChainMatch {
  enum class Verdict : uint8_t { kAny, kRelay, kInspect };
  Verdict verdict = Verdict::kAny;
  std::optional<Protocol> protocol;
  std::vector<std::string> server_names;  // "example.com", "*.example.com", ".example.com"; lower case
  std::vector<std::string> alpn;
  std::vector<uint16_t> ports;  // of the tunnel's target; else of where the connection wanted to go
  std::vector<Cidr> sources;

  bool Matches(const Connection& connection) const;
  // All but the verdict.
  bool Takes(const Connection& connection) const;
};

struct FilterChain {
  std::string name;
  ChainMatch match;
  NetworkFilters filters;          // the last one is terminal
  std::optional<size_t> decrypts;  // which of them ends the TLS inside a tunnel; nothing: none does
};

struct ListenerChains {
  std::string name;
  Transparent transparent = Transparent::kOff;
  std::shared_ptr<const NextHop> next_hop;  // transparent: what is dialled through; null: nothing
  bool dial_original = false;               // transparent: a name has to resolve to where the connection wanted to go
  const StandInNames* stand_ins = nullptr;  // transparent: what addresses stand for; null: for themselves. Outlives it
  std::vector<Cidr> balancers;              // they say for whom a connection is, by proxy_protocol
  NetworkFilters listener_filters;
  std::vector<FilterChain> chains;
};

}  // namespace egret
