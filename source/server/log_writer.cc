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

LogWriter::LogWriter(LogQueue& queue, std::vector<std::string> paths) : queue_(queue) {
  for (std::string& path : paths) sinks_.push_back({std::move(path)});
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
      sink.fd = open(sink.path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    }
    struct stat status;
    sink.is_file = sink.fd >= 0 && fstat(sink.fd, &status) == 0 && S_ISREG(status.st_mode);
    if (sink.fd < 0) problems_.push_back(Cat(sink.path, ": ", std::strerror(errno)));
  }
}

void LogWriter::CloseAll() {
  for (Sink& sink : sinks_)
    if (sink.fd >= 0) close(std::exchange(sink.fd, -1));
}

void LogWriter::Run() {
  for (std::string block = queue_.Take(); !block.empty(); block = queue_.Take()) {
    if (reopen_.exchange(false, std::memory_order_relaxed)) {
      CloseAll();
      OpenAll();
    }
    for (const Sink& sink : sinks_) Write(sink, block);
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

void LogWriter::Write(const Sink& sink, const std::string& block) {
  const size_t most = sink.is_file ? block.size() : PIPE_BUF;
  size_t done = 0;
  while (sink.fd >= 0 && done < block.size() && HasRoom(sink)) {
    const ssize_t n = write(sink.fd, block.data() + done, std::min(block.size() - done, most));
    if (n > 0) {
      done += static_cast<size_t>(n);
    } else if (errno != EINTR) {
      break;
    }
  }
  if (done < block.size())
    queue_.CountDropped(
        static_cast<uint64_t>(std::count(block.begin() + static_cast<ptrdiff_t>(done), block.end(), '\n')));
}

}  // namespace egret
