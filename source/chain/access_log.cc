#include "source/chain/access_log.h"

#include <algorithm>
#include <utility>

namespace egret {

LogQueue::LogQueue(std::vector<std::optional<LogFormat>> formats, bool fingerprints)
    : formats_(std::move(formats)),
      fingerprints_(fingerprints || std::any_of(formats_.begin(), formats_.end(),
                                                [](const auto& format) { return format && format->TellsOfHello(); })) {}

bool LogQueue::Put(Block block, uint64_t lines) {
  const std::lock_guard lock(mutex_);
  if (closed_ || bytes_ + block.text.size() > kMaxBytes) {
    CountDropped(lines);
    return false;
  }
  bytes_ += block.text.size();
  blocks_.push_back(std::move(block));
  filled_.notify_one();
  return true;
}

LogQueue::Block LogQueue::Take() {
  std::unique_lock lock(mutex_);
  filled_.wait(lock, [this] { return closed_ || !blocks_.empty(); });
  if (blocks_.empty()) return {};
  Block block = std::move(blocks_.front());
  blocks_.pop_front();
  bytes_ -= block.text.size();
  return block;
}

void LogQueue::Close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  filled_.notify_all();
}

AccessLog::AccessLog(LogQueue& queue) : queue_(queue), gathered_(queue.formats().size()) {
  timer_.log = this;
  timer_.run = [](Waiter& self) { static_cast<FlushTimer&>(self).log->Flush(); };
}

void AccessLog::Write(const ExchangeRecord& record, std::string_view event, uint64_t duration_ms) {
  for (size_t i = 0; i < gathered_.size(); ++i) {
    Gathered& gathered = gathered_[i];
    if (const std::optional<LogFormat>& format = queue_.formats()[i]; !format) {
      AppendLogLine(gathered.text, record, event, duration_ms);
    } else if (event == "end") {
      format->Append(gathered.text, record, duration_ms);
    } else {
      continue;
    }
    ++gathered.lines;
    if (gathered.text.size() >= kFlushBytes) {
      HandOver(i);
    } else if (!timer_.linked()) {
      Loop::current()->Arm(timer_, kFlushMs);
    }
  }
}

void AccessLog::HandOver(size_t format) {
  Gathered& gathered = gathered_[format];
  if (gathered.lines == 0) return;
  std::string next;
  next.reserve(gathered.text.capacity());
  queue_.Put({format, std::exchange(gathered.text, std::move(next))}, std::exchange(gathered.lines, 0));
}

void AccessLog::Flush() {
  timer_.Unlink();
  for (size_t i = 0; i < gathered_.size(); ++i) HandOver(i);
}

}  // namespace egret
