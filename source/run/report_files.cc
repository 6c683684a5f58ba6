#include "source/run/report_files.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstring>
#include <string_view>
#include <utility>

#include "source/base/strings.h"

namespace egret {
namespace {

bool WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    text.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

}  // namespace

Result<ReportFiles, Problem> ReportFiles::Open(const std::string& report, const std::string& step_summary) {
  ReportFiles files;
  const auto add = [&files](const std::string& path, int how, bool markdown) {
    if (path.empty()) return true;
    const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | how, 0644);
    if (fd >= 0) files.files_.push_back({OwnedFd(fd), markdown});
    return fd >= 0;
  };
  if (!add(report, O_TRUNC, report.ends_with(".md")))
    return Problem{Cat("--report ", report, ": ", std::strerror(errno))};
  if (!add(step_summary, O_APPEND, true))
    return Problem{Cat("GITHUB_STEP_SUMMARY ", step_summary, ": ", std::strerror(errno))};
  return files;
}

bool ReportFiles::Write(const RunSummary& summary, const RunFacts& facts) const {
  bool whole = true;
  for (const File& file : files_)
    whole = WriteAll(file.fd.get(), file.markdown ? MarkdownOf(summary, facts) : JsonOf(summary, facts)) && whole;
  return whole;
}

}  // namespace egret
