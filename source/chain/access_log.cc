#include "source/chain/access_log.h"

#include <utility>

namespace egret {

bool LogQueue::Put(std::string block, uint64_t lines) {
  const std::lock_guard lock(mutex_);
  if (closed_ || bytes_ + block.size() > kMaxBytes) {
    CountDropped(lines);
    return false;
  }
  bytes_ += block.size();
  blocks_.push_back(std::move(block));
  filled_.notify_one();
  return true;
}

std::string LogQueue::Take() {
  std::unique_lock lock(mutex_);
  filled_.wait(lock, [this] { return closed_ || !blocks_.empty(); });
  if (blocks_.empty()) return {};
  std::string block = std::move(blocks_.front());
  blocks_.pop_front();
  bytes_ -= block.size();
  return block;
}

void LogQueue::Close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  filled_.notify_all();
}

AccessLog::AccessLog(LogQueue& queue) : queue_(queue) {
  timer_.log = this;
  timer_.run = [](Waiter& self) { static_cast<FlushTimer&>(self).log->Flush(); };
}

void AccessLog::Added() {
  ++lines_;
  if (block_.size() >= kFlushBytes) {
    Flush();
  } else if (!timer_.linked()) {
    Loop::current()->Arm(timer_, kFlushMs);
  }
}

void AccessLog::Flush() {
  timer_.Unlink();
  if (lines_ == 0) return;
  std::string next;
  next.reserve(block_.capacity());
  queue_.Put(std::exchange(block_, std::move(next)), std::exchange(lines_, 0));
}

}  // namespace egret
