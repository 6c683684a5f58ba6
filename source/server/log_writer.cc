#include "source/server/log_writer.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "source/base/strings.h"

namespace egret {
namespace {

constexpr int kFinalWaitMs = 1000;

}  // namespace

LogWriter::LogWriter(LogQueue& queue, const std::vector<LogPlan::Sink>& sinks, Reader reader)
    : queue_(queue), reader_(std::move(reader)) {
  for (const LogPlan::Sink& sink : sinks) sinks_.push_back({sink.path, sink.format});
  OpenAll();
  thread_ = std::thread([this] { Run(); });
}

LogWriter::~LogWriter() {
  ending_.store(true, std::memory_order_relaxed);
  queue_.Close();
  thread_.join();
  CloseAll();
}

void LogWriter::OpenAll() {
  problems_.clear();
  for (Sink& sink : sinks_) {
    if (sink.path == "/dev/stdout" || sink.path == "/dev/stderr") {
      sink.fd = fcntl(sink.path == "/dev/stdout" ? STDOUT_FILENO : STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
    } else {
      // A named pipe without a reader is refused rather than waited for.
      sink.fd = open(sink.path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0640);
      if (sink.fd >= 0) fcntl(sink.fd, F_SETFL, O_APPEND);
    }
    struct stat status;
    sink.is_file = sink.fd >= 0 && fstat(sink.fd, &status) == 0 && S_ISREG(status.st_mode);
    if (sink.fd < 0) problems_.push_back(Cat(sink.path, ": ", std::strerror(errno)));
  }
}

void LogWriter::CloseAll() {
  for (Sink& sink : sinks_) {
    if (!sink.owed.empty() && WriteSome(sink, sink.owed) < sink.owed.size()) queue_.CountDropped(1);
    sink.owed.clear();
    if (sink.fd >= 0) close(std::exchange(sink.fd, -1));
  }
}

void LogWriter::Run() {
  for (LogQueue::Block block = queue_.Take(); !block.text.empty(); block = queue_.Take()) {
    if (reopen_.exchange(false, std::memory_order_relaxed)) {
      CloseAll();
      OpenAll();
    }
    for (Sink& sink : sinks_)
      if (sink.format == block.format) Write(sink, block.text);
    if (reader_ && block.format == 0) reader_(block.text);
  }
}

// Waits for room; false once the process ends and there was none for a while. What poll() says there is room for is
// PIPE_BUF bytes of a pipe, so a write of so many does not block. A file always has room.
bool LogWriter::HasRoom(const Sink& sink) {
  if (sink.is_file) return true;
  pollfd room{sink.fd, POLLOUT, 0};
  while (poll(&room, 1, stuck_ ? 0 : kFinalWaitMs) == 0) {
    stuck_ = ending_.load(std::memory_order_relaxed);
    if (stuck_) return false;
  }
  return true;
}

size_t LogWriter::WriteSome(const Sink& sink, std::string_view text) {
  size_t done = 0;
  while (sink.fd >= 0 && done < text.size() && (sink.is_file || HasRoom(sink))) {
    const size_t most = sink.is_file ? text.size() - done : std::min<size_t>(text.size() - done, PIPE_BUF);
    const ssize_t n = write(sink.fd, text.data() + done, most);
    if (n > 0) {
      done += static_cast<size_t>(n);
    } else if (errno != EINTR) {
      break;
    }
  }
  return done;
}

// A line that was cut is ended before another begins, so that each that is there is whole.
void LogWriter::Write(Sink& sink, const std::string& block) {
  sink.owed.erase(0, WriteSome(sink, sink.owed));
  size_t done = sink.owed.empty() ? WriteSome(sink, block) : 0;
  if (done > 0 && block[done - 1] != '\n') {
    const size_t end = block.find('\n', done) + 1;
    sink.owed = block.substr(done, end - done);
    done = end;
  }
  if (done < block.size())
    queue_.CountDropped(
        static_cast<uint64_t>(std::count(block.begin() + static_cast<ptrdiff_t>(done), block.end(), '\n')));
}

}  // namespace egret
