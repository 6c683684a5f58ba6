// egret run's command line.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "source/base/result.h"

namespace egret {

struct RunOptions {
  std::vector<std::string> allow;            // destinations, see allowance.h
  std::string policy;                        // file or folder, in the place of both others; empty: none
  std::vector<std::string> private_ranges;   // CIDR: where the names of `allow` may lead though it is private
  std::string log;                           // file for the access log; empty: none
  std::string parent;                        // URL of a proxy that all goes out through; "env": the caller's own
  std::string parent_credentials;            // file with user:password for it, where the URL has none
  std::string learn;                         // file for the policy that would have allowed it; empty: none
  std::string record;                        // file for the egress record; empty: none
  std::string record_key;                    // by which that is signed; empty: it is not
  std::vector<std::string> record_subjects;  // files that it is about
  std::string report;                        // file: JSON, or Markdown where it ends in .md; empty: none
  bool fail_on_deny = false;
  bool fenced = true;       // false: variables only
  bool core_dumps = false;  // the system may dump the memory of the proxy
  bool quiet = false;       // nothing is said but what keeps the command from running
  bool verbose = false;
  bool help = false;
  std::string show;                  // name of a ready policy, to be printed; empty: none
  std::vector<std::string> command;  // never empty, unless `help` or `show`
};

// `arguments`: what follows "run".
Result<RunOptions, Problem> ParseRunOptions(std::span<char* const> arguments);

std::string RunHelpText();

}  // namespace egret
