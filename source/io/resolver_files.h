// What /etc/hosts and /etc/resolv.conf say, read by us so that nothing else of them (search lists, ndots, options)
// takes effect.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "source/base/ip.h"

namespace egret {

// Name (lower case, no trailing dot) to addresses, IPv6 first. Lines without a plain IP address (a zone id, say) are
// passed over.
using HostsTable = std::unordered_map<std::string, std::vector<IpAddress>>;
HostsTable ParseHosts(std::string_view text);

// At most three, as resolv.conf(5) has it; where there is none, 127.0.0.1. Port 53.
std::vector<Endpoint> ParseResolvConf(std::string_view text);

// A small file that may be replaced at any time.
class WatchedFile {
 public:
  explicit WatchedFile(std::string path) : path_(std::move(path)) {}

  // Its bytes, where it is new or has changed since the last call; at most 1 MiB. One stat() where it has not.
  // A file that vanished is an empty one.
  std::optional<std::string> ReadIfChanged();

 private:
  std::string path_;
  std::optional<struct stat> seen_;
  bool ever_ = false;
};

}  // namespace egret
