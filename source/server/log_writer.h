// The thread that writes the access log: takes blocks off the queue and writes each to every sink. A full disk or a
// stuck pipe holds up this thread and nobody else; lines that cannot be written are dropped and counted.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "source/chain/access_log.h"

namespace egret {

class LogWriter {
 public:
  // Gets whole lines of the first format, on the writer's thread.
  using Reader = std::function<void(std::string_view lines)>;

  // Files to append to; "/dev/stdout" and "/dev/stderr" are this process's own. `reader` may be empty.
  LogWriter(LogQueue& queue, const std::vector<LogPlan::Sink>& sinks, Reader reader = {});
  // Writes what is queued, then ends. A pipe that nobody reads does not hold it up: what is left for it is dropped.
  ~LogWriter();
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  // Names of those that could not be opened, with the reason; they are tried again at the next reopening.
  std::vector<std::string> problems() const { return problems_; }
  // Opens the files anew before the next block (log rotation). From any thread.
  void Reopen() { reopen_.store(true, std::memory_order_relaxed); }

 private:
  struct Sink {
    std::string path;
    size_t format = 0;
    int fd = -1;
    bool is_file = false;   // a regular one, which never makes anybody wait
    std::string owed = {};  // the rest of a line that was cut; nothing else is written before it
  };
  void OpenAll();
  void CloseAll();
  void Run();
  bool HasRoom(const Sink& sink);
  void Write(Sink& sink, const std::string& block);
  size_t WriteSome(const Sink& sink, std::string_view text);

  LogQueue& queue_;
  std::vector<Sink> sinks_;
  const Reader reader_;
  std::vector<std::string> problems_;
  std::atomic<bool> reopen_{false};
  std::atomic<bool> ending_{false};
  bool stuck_ = false;  // the thread's: while ending, a sink took nothing
  std::thread thread_;
};

}  // namespace egret
