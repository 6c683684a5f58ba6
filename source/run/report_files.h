// Where what is told of a run goes besides standard error: the files of --log, --report, --learn and --record, and a
// CI's page of the job.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "source/base/result.h"
#include "source/base/secret_text.h"
#include "source/run/channel.h"
#include "source/run/report.h"
#include "source/run/run_log.h"

namespace egret {

// Paths; what is empty is not written.
struct ReportPaths {
  std::string log;                    // the access log, as it comes
  std::string report;                 // JSON, or Markdown where it ends in .md
  std::string learn;                  // the policy that would have allowed what was reached
  std::string record;                 // the egress record
  std::string record_key;             // by which that is signed, a private key in PEM; empty: it is not
  std::vector<std::string> subjects;  // files that the record is about, as they are once the command has ended
  std::string step_summary;           // Markdown is appended
};

class ReportFiles {
 public:
  // All are opened now, and the key is read, so that a run whose report has no place does not begin.
  static Result<ReportFiles, Problem> Open(ReportPaths paths);

  // Gathers what is to be written, and writes the log; this outlives it.
  RunLog NewLog() const;
  // Nothing: all was written.
  std::optional<Problem> Write(const RunLog& log, const RunFacts& facts) const;

 private:
  enum class Kind : uint8_t { kLog, kJson, kMarkdown, kPolicy, kRecord };
  struct File {
    OwnedFd fd;
    Kind kind = Kind::kMarkdown;
  };

  bool Has(Kind kind) const;
  Result<std::string, Problem> TextFor(Kind kind, const RunLog& log, const RunFacts& facts) const;
  Result<std::string, Problem> Record(const EgressRecord& record, const RunFacts& facts) const;

  std::vector<File> files_;
  std::vector<std::string> subjects_;
  std::optional<SecretText> key_;
};

}  // namespace egret
