// What an access log tells of who reached what: the ground of a proposed policy. Pure; bounded, whatever is in the log.
#pragma once

#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "source/base/ip.h"
#include "source/learn/access_line.h"

namespace egret {

struct Destination {
  std::string host;  // a name, or an address without brackets
  uint16_t port = 0;
  friend auto operator<=>(const Destination&, const Destination&) = default;
};

// Seconds since 1970; 0: not known.
struct Times {
  uint64_t count = 0;
  int64_t first = 0, last = 0;

  void Add(const Times& more);
};

// How somebody used a destination.
struct Use {
  enum class Carries : uint8_t { kTls, kHttp, kOther };

  Times times;                      // tunnels, and requests that came through none
  std::set<Carries> carries;        // in tunnels; requests in clear are kHttp
  bool blind = false;               // some tunnel was not looked into
  bool without_sni = false;         // some ClientHello did not name the server
  std::set<std::string> ech_names;  // that stood before an encrypted one
  std::set<std::string> methods;
  std::set<std::string> paths;  // without queries; empty together with `many_paths`: too many to tell
  bool many_paths = false;
  std::set<IpAddress> reached;  // what a name resolved to
};

class Traffic {
 public:
  static constexpr size_t kMostUses = 50'000;  // of all identities together
  static constexpr size_t kMostPaths = 300;    // of a use
  static constexpr size_t kMostMethods = 32;
  static constexpr size_t kMostAddresses = 64;

  using Uses = std::map<Destination, Use>;

  // Whole lines, in JSON. What was refused, or reached nobody, is only counted.
  void Add(std::string_view lines);
  void Add(const AccessLine& line);

  // By name as the log has it; empty: nobody said who it was.
  const std::map<std::string, Uses>& by_identity() const { return by_identity_; }
  const Times& times() const { return times_; }
  uint64_t refused() const { return refused_; }
  uint64_t unreached() const { return unreached_; }
  uint64_t left_out() const { return left_out_; }  // uses that found no room

 private:
  Use* UseOf(const AccessLine& line);

  std::map<std::string, Uses> by_identity_;
  size_t uses_ = 0;
  Times times_;
  uint64_t refused_ = 0, unreached_ = 0, left_out_ = 0;
};

}  // namespace egret
