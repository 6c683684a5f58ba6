// A run's summary, written for people and for programs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "source/run/summary.h"

namespace egret {

struct RunFacts {
  std::string program;  // without its arguments: they may hold secrets
  int status = 0;       // the command's own
  bool fenced = true;
  uint64_t duration_ms = 0;
};

// Lines for standard error, without a prefix: what was refused or failed; `all`: what was reached as well.
std::vector<std::string> LinesOf(const RunSummary& summary, bool all);
// One object, with its line end.
std::string JsonOf(const RunSummary& summary, const RunFacts& facts);
// A section with a table, as a CI's page of a job takes it.
std::string MarkdownOf(const RunSummary& summary, const RunFacts& facts);

}  // namespace egret
