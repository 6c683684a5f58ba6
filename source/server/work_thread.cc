#include "source/server/work_thread.h"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <tuple>
#include <utility>

namespace egret {

void WorkThread::Do(std::function<void()> work) {
  const std::lock_guard lock(mutex_);
  if (stopped_) return;
  waiting_.push_back(std::move(work));
  told_.notify_one();
  if (!thread_.joinable()) thread_ = std::thread([this] { Run(); });
}

void WorkThread::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    told_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void WorkThread::Run() {
  constexpr int kNice = 10;
  pthread_setname_np(pthread_self(), "preview");
  std::ignore = setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kNice);
  for (;;) {
    std::function<void()> work;
    {
      std::unique_lock lock(mutex_);
      told_.wait(lock, [this] { return !waiting_.empty() || stopped_; });
      if (stopped_) return;
      work = std::move(waiting_.front());
      waiting_.pop_front();
    }
    work();
  }
}

}  // namespace egret
