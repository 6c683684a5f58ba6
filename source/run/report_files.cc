#include "source/run/report_files.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

#include "source/base/strings.h"
#include "source/learn/proposal.h"

namespace egret {
namespace {

constexpr char kNothingLearned[] = "# Nothing was reached: there is nothing to allow.\npolicies: [{name: learned}]\n";

bool WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    text.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

// Nobody says who they are behind the fence: for anybody.
std::string PolicyOf(const Traffic& traffic) {
  if (traffic.by_identity().empty()) return kNothingLearned;
  return ProposedYaml(traffic, ProposeRules(traffic, false), "learned", "egret run --learn");
}

}  // namespace

Result<ReportFiles, Problem> ReportFiles::Open(const std::string& report, const std::string& learn,
                                               const std::string& step_summary) {
  ReportFiles files;
  const auto add = [&files](const std::string& path, int how, Kind kind) {
    if (path.empty()) return true;
    const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | how, 0644);
    if (fd >= 0) files.files_.push_back({OwnedFd(fd), kind});
    return fd >= 0;
  };
  if (!add(report, O_TRUNC, report.ends_with(".md") ? Kind::kMarkdown : Kind::kJson))
    return Problem{Cat("--report ", report, ": ", std::strerror(errno))};
  if (!add(learn, O_TRUNC, Kind::kPolicy)) return Problem{Cat("--learn ", learn, ": ", std::strerror(errno))};
  if (!add(step_summary, O_APPEND, Kind::kMarkdown))
    return Problem{Cat("GITHUB_STEP_SUMMARY ", step_summary, ": ", std::strerror(errno))};
  return files;
}

bool ReportFiles::Write(const RunSummary& summary, const Traffic& traffic, const RunFacts& facts) const {
  bool whole = true;
  for (const File& file : files_) {
    const std::string text = file.kind == Kind::kPolicy     ? PolicyOf(traffic)
                             : file.kind == Kind::kMarkdown ? MarkdownOf(summary, facts)
                                                            : JsonOf(summary, facts);
    whole = WriteAll(file.fd.get(), text) && whole;
  }
  return whole;
}

bool ReportFiles::learns() const {
  return std::any_of(files_.begin(), files_.end(), [](const File& one) { return one.kind == Kind::kPolicy; });
}

}  // namespace egret
