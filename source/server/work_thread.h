// A thread for what takes its time, such as compiling policies: one piece of work after the other, after those that
// carry traffic. Starts with the first.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace egret {

class WorkThread {
 public:
  WorkThread() = default;
  // Ends what runs; what has not begun is dropped.
  ~WorkThread() { Stop(); }
  WorkThread(const WorkThread&) = delete;
  WorkThread& operator=(const WorkThread&) = delete;

  // From one thread only. Nothing more is done after Stop().
  void Do(std::function<void()> work);
  void Stop();

 private:
  void Run();

  std::mutex mutex_;
  std::condition_variable told_;
  std::deque<std::function<void()>> waiting_;
  bool stopped_ = false;
  std::thread thread_;
};

}  // namespace egret
