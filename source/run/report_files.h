// Where the report of a run is written to besides standard error: the files of --report and --learn, and a CI's page of
// the job.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "source/base/result.h"
#include "source/learn/traffic.h"
#include "source/run/channel.h"
#include "source/run/report.h"

namespace egret {

class ReportFiles {
 public:
  // `report`: JSON, or Markdown where it ends in .md; empty: none. `step_summary`: Markdown is appended; empty: none.
  // All are opened now, so that a run whose report has no place does not begin.
  // `learn`: the policy that would have allowed what was reached; empty: none.
  static Result<ReportFiles, Problem> Open(const std::string& report, const std::string& learn,
                                           const std::string& step_summary);

  // False: not all was written (errno).
  bool Write(const RunSummary& summary, const Traffic& traffic, const RunFacts& facts) const;
  bool learns() const;

 private:
  enum class Kind : uint8_t { kJson, kMarkdown, kPolicy };
  struct File {
    OwnedFd fd;
    Kind kind = Kind::kMarkdown;
  };
  std::vector<File> files_;
};

}  // namespace egret
