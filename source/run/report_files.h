// Where the report of a run is written to besides standard error: the file of --report, and a CI's page of the job.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "source/base/result.h"
#include "source/run/channel.h"
#include "source/run/report.h"

namespace egret {

class ReportFiles {
 public:
  // `report`: JSON, or Markdown where it ends in .md; empty: none. `step_summary`: Markdown is appended; empty: none.
  // Both are opened now, so that a run whose report has no place does not begin.
  static Result<ReportFiles, Problem> Open(const std::string& report, const std::string& step_summary);

  // False: not all was written (errno).
  bool Write(const RunSummary& summary, const RunFacts& facts) const;

 private:
  struct File {
    OwnedFd fd;
    bool markdown = true;
  };
  std::vector<File> files_;
};

}  // namespace egret
