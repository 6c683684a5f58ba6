// egret's command line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "source/base/log.h"
#include "source/base/result.h"

namespace egret {

struct Options {
  enum class Mode : uint8_t { kServe, kValidate, kHelp, kVersion };

  Mode mode = Mode::kServe;
  std::string config;            // empty: the embedded default
  std::optional<uint16_t> port;  // of the first listener with a socket, in place of the configured one
  std::optional<uint32_t> workers;
  std::string node_id;             // in place of the configured node.id; empty: that one
  std::string parent;              // "http://user:password@host:port": a proxy that everything goes through
  std::string parent_credentials;  // path of a file with user:password for it, where the URL has none
  LogLevel log_level = LogLevel::kInfo;
  std::string ready_file;            // written once ready, with the addresses that were bound
  std::optional<uint64_t> drain_ms;  // in place of the configured drain.timeout
  bool core_dumps = false;           // the system may dump the memory of the process
  std::string take_over;             // path of a Unix socket: where a successor asks for the listening sockets
};

Result<Options, Problem> ParseOptions(int argc, char** argv);

std::string HelpText();

}  // namespace egret
