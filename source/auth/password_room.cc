#include "source/auth/password_room.h"

#include <pthread.h>

#include <utility>

#include "source/auth/htpasswd.h"
#include "source/base/thread_rank.h"
#include "source/event/loop.h"

namespace egret {
PasswordRoom::PasswordRoom(const Limits& limits) : limits_(limits), right_(limits.remembered) {
  for (size_t i = 0; i < limits.threads; ++i) threads_.emplace_back([this] { Run(); });
}

PasswordRoom::~PasswordRoom() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    filled_.notify_all();
  }
  for (std::thread& thread : threads_) thread.join();
}

bool PasswordRoom::Knows(const std::string& hash, std::string_view password, uint64_t now_ms) {
  return right_.Find(hasher_.Of({hash, password}), now_ms).has_value();
}

void PasswordRoom::Check(const std::string& hash, std::string_view password, bool decoy, uint64_t now_ms,
                         const Pending<PasswordVerdict>& answer) {
  Asker asker{Loop::current()->mailbox(), answer.state()};
  const KeyedHash::Value key = hasher_.Of({hash, password, decoy ? "decoy" : ""});
  const std::lock_guard lock(mutex_);
  if (const auto same = jobs_.find(key); same != jobs_.end()) {
    same->second.askers.push_back(std::move(asker));
    return;
  }
  if (waiting_.size() >= limits_.queue) {
    Pending<PasswordVerdict>::Fulfil(*answer.state(), PasswordVerdict::kBusy);
    return;
  }
  const auto job = jobs_.emplace(key, Job{hash, std::string(password), decoy, now_ms, {}}).first;
  job->second.askers.push_back(std::move(asker));
  waiting_.push_back(job);
  filled_.notify_one();
}

void PasswordRoom::Run() {
  pthread_setname_np(pthread_self(), "egret-password");
  ComeAfterWorkers();
  std::unique_lock lock(mutex_);
  for (;;) {
    filled_.wait(lock, [this] { return closed_ || !waiting_.empty(); });
    if (closed_) return;
    const auto at = waiting_.front();
    waiting_.pop_front();
    lock.unlock();
    // Askers may join it meanwhile; what else is in it stays.
    const bool right = IsRight(at->second);
    lock.lock();
    const Job job = std::move(jobs_.extract(at).mapped());
    lock.unlock();
    if (right) right_.Put(hasher_.Of({job.hash, job.password}), {}, job.now_ms + limits_.remembered_ms);
    Tell(job, right ? PasswordVerdict::kRight : PasswordVerdict::kWrong);
    lock.lock();
  }
}

bool PasswordRoom::IsRight(const Job& job) {
  const WorkInPieces pieces;
  return HasHash(job.password, job.hash) && !job.decoy;
}

void PasswordRoom::Tell(const Job& job, PasswordVerdict verdict) {
  for (const Asker& asker : job.askers) Pending<PasswordVerdict>::FulfilFrom(asker.loop, asker.state, verdict);
}

}  // namespace egret
