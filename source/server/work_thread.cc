#include "source/server/work_thread.h"

#include <pthread.h>

#include <utility>

#include "source/base/thread_rank.h"

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
  pthread_setname_np(pthread_self(), "preview");
  ComeAfterWorkers();
  for (;;) {
    std::function<void()> work;
    {
      std::unique_lock lock(mutex_);
      told_.wait(lock, [this] { return !waiting_.empty() || stopped_; });
      if (stopped_) return;
      work = std::move(waiting_.front());
      waiting_.pop_front();
    }
    const WorkInPieces pieces;
    work();
  }
}

}  // namespace egret
