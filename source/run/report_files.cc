#include "source/run/report_files.h"

#include <errno.h>
#include <fcntl.h>

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

#include "source/base/strings.h"
#include "source/config/file.h"
#include "source/learn/proposal.h"
#include "source/learn/signed_record.h"
#include "source/learn/subject.h"
#include "source/run/write_all.h"

namespace egret {
namespace {

constexpr char kNothingLearned[] = "# Nothing was reached: there is nothing to allow.\npolicies: [{name: learned}]\n";
constexpr size_t kMostKey = size_t{1} << 20;

// Nobody says who they are behind the fence: for anybody.
std::string PolicyOf(const Traffic& traffic) {
  if (traffic.by_identity().empty()) return kNothingLearned;
  return ProposedYaml(traffic, ProposeRules(traffic, false), "learned", "egret run --learn");
}

// One that can sign, too: a run of an hour shall not end without.
Result<SecretText, Problem> ReadKey(const std::string& path) {
  auto text = ReadWholeFile(path, kMostKey, FileKind::kAny);
  if (!text) return Problem{Cat("--record-key ", path, ": ", text.error().why)};
  SecretText key(std::move(*text));
  if (const auto tried = SignStatement("", key.text()); !tried)
    return Problem{Cat("--record-key ", path, ": ", tried.error().text)};
  return std::move(key);
}

}  // namespace

Result<ReportFiles, Problem> ReportFiles::Open(ReportPaths paths) {
  ReportFiles files;
  std::optional<Problem> problem;
  const auto add = [&](std::string_view option, const std::string& path, int how, Kind kind) {
    if (path.empty() || problem) return;
    const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | how, 0644);
    if (fd < 0) problem = Problem{Cat(option, ' ', path, ": ", std::strerror(errno))};
    files.files_.push_back({OwnedFd(fd), kind});
  };
  add("--log", paths.log, O_TRUNC | O_APPEND, Kind::kLog);
  add("--report", paths.report, O_TRUNC, paths.report.ends_with(".md") ? Kind::kMarkdown : Kind::kJson);
  add("--learn", paths.learn, O_TRUNC, Kind::kPolicy);
  add("--record", paths.record, O_TRUNC, Kind::kRecord);
  add("GITHUB_STEP_SUMMARY", paths.step_summary, O_APPEND, Kind::kMarkdown);
  if (problem) return *std::move(problem);
  if (!paths.record_key.empty()) {
    Result<SecretText, Problem> key = ReadKey(paths.record_key);
    if (!key) return key.error();
    files.key_.emplace(std::move(*key));
  }
  files.subjects_ = std::move(paths.subjects);
  return files;
}

bool ReportFiles::Has(Kind kind) const {
  return std::any_of(files_.begin(), files_.end(), [kind](const File& file) { return file.kind == kind; });
}

RunLog ReportFiles::NewLog() const {
  RunLog log;
  if (Has(Kind::kPolicy)) log.traffic.emplace();
  if (Has(Kind::kRecord)) log.record.emplace();
  for (const File& file : files_)
    if (file.kind == Kind::kLog) log.lines = file.fd.get();
  return log;
}

Result<std::string, Problem> ReportFiles::Record(const EgressRecord& record, const RunFacts& facts) const {
  std::vector<EgressRecord::Subject> subjects;
  for (const std::string& path : subjects_) {
    auto subject = SubjectOf(path);
    if (!subject) return Problem{Cat("--record-subject ", path, ": ", subject.error().text)};
    subjects.push_back(std::move(*subject));
  }
  const std::string statement = record.Statement(facts.program, subjects);
  return key_ ? SignStatement(statement, key_->text()) : statement;
}

Result<std::string, Problem> ReportFiles::TextFor(Kind kind, const RunLog& log, const RunFacts& facts) const {
  switch (kind) {
    case Kind::kLog:  // has been written as it came
      return std::string();
    case Kind::kJson:
      return JsonOf(log.summary, facts);
    case Kind::kMarkdown:
      return MarkdownOf(log.summary, facts);
    case Kind::kPolicy:
      return PolicyOf(*log.traffic);
    case Kind::kRecord:
      return Record(*log.record, facts);
  }
  return std::string();
}

std::optional<Problem> ReportFiles::Write(const RunLog& log, const RunFacts& facts) const {
  std::optional<Problem> problem;
  if (log.lines_error != 0) problem = Problem{Cat("the log is not whole: ", std::strerror(log.lines_error))};
  for (const File& file : files_) {
    const Result<std::string, Problem> text = TextFor(file.kind, log, facts);
    if (!text)
      problem = text.error();
    else if (!WriteAll(file.fd.get(), *text))
      problem = Problem{Cat("the report cannot be written: ", std::strerror(errno))};
  }
  return problem;
}

}  // namespace egret
