// What is known of pushed configuration at one moment, for /config_dump, metrics and the control plane. Plain values.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "source/config/error.h"

namespace egret {

// Where what is in force came from, beside the bootstrap.
enum class ConfigSource : uint8_t { kBootstrap, kDirectory, kLastGood, kXds };
std::string_view NameOf(ConfigSource source);  // "last_good"

enum class ResourceState : uint8_t {
  kInForce,   // what was received last decides
  kParked,    // kept, not used: it is bad, or came together with something bad
  kConflict,  // good by itself, but not with the rest
  kWarming,   // waits for what it refers to
  kMissing,   // referred to, and not to be had
  kUnused,    // nothing in force refers to it
};
std::string_view NameOf(ResourceState state);  // "in_force"

struct ResourceStatus {
  std::string_view type_url;  // static
  std::string name;
  std::string version_received = {};  // as the server said it
  std::string version_in_force = {};  // empty: none is
  ResourceState state = ResourceState::kInForce;
  std::vector<ConfigError> errors = {};  // paths within the resource
  bool beside = false;                   // nothing is wrong with it: it came together with something that is not valid
};

struct PushStatus {
  ConfigSource source = ConfigSource::kBootstrap;
  bool settled = false;  // the first set is in force, or was waited for long enough
  std::vector<ResourceStatus> resources;
  std::vector<ConfigError> errors;  // of what is to be in force and cannot be, of no resource in particular
  uint64_t applied = 0;             // configurations put in force
  int64_t applied_unix_ms = 0;      // when the last one was
  uint64_t responses = 0;
  uint64_t accepted = 0;                     // of them
  std::map<std::string, uint64_t> rejected;  // responses that were refused, by type URL
  uint64_t unknown_fields = 0;               // of what was taken though this release does not know them
  uint64_t missing = 0;                      // resources in that state
  int64_t last_good_unix_ms = 0;             // when the server last sent something that was taken whole; 0: never
  // The connection.
  bool connected = false;     // the server has answered on this stream
  std::string server;         // the one that is spoken with, or tried
  std::string control_plane;  // what it calls itself
  uint64_t attempts = 0;
  uint64_t streams = 0;    // attempts that were answered
  std::string last_error;  // why the last attempt or stream ended; empty: none did
  uint64_t directory_reloads = 0;
  std::vector<ConfigError> directory_errors;  // why the last look at the directory changed nothing
};

}  // namespace egret
