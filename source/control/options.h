// egret-control's command line.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "source/base/log.h"
#include "source/base/result.h"

namespace egret {

struct ControlOptions {
  enum class Mode : uint8_t { kServe, kValidate, kHelp, kVersion };

  Mode mode = Mode::kServe;
  std::string resources;                            // folder of the groups' folders
  std::string bootstraps;                           // folder with GROUP.yaml; empty: not known
  std::string listen;                               // where proxies ask: "0.0.0.0:18000"
  std::string tls_certificate, tls_key, client_ca;  // PEM files; empty: in clear, or without client certificates
  bool in_clear = false;                            // proxies may ask without TLS from other machines
  std::string control;                              // where operators ask: "unix:PATH"; empty: nowhere
  std::vector<std::string> viewers;                 // names of certificates that may ask there
  std::vector<std::string> operators;               // names of those that may command, too
  std::string rollouts;                             // folder where roll-outs are kept; empty: none go on
  std::string admin;                                // where /ready, /live and /metrics are; empty: nowhere
  std::string identifier = "egret-control";         // what it calls itself
  std::string ready_file;                           // written once ready, with the addresses that were bound
  LogLevel log_level = LogLevel::kInfo;
};

// The problem says the option, too, that is missing or does not go with another.
Result<ControlOptions, Problem> ParseControlOptions(int argc, const char* const* argv);

std::string ControlHelp();

}  // namespace egret
