#include "source/xds/inbox.h"

#include <utility>

namespace egret {

void Inbox::ListenTo(uint64_t stream) {
  const std::lock_guard lock(mutex_);
  stream_ = stream;
  bytes_ = 0;
  events_.responses.clear();
  events_.end.reset();
}

void Inbox::Stop() {
  const std::lock_guard lock(mutex_);
  events_.stop = true;
  something_.notify_all();
}

Inbox::Events Inbox::Wait(Clock::time_point until) {
  std::unique_lock lock(mutex_);
  something_.wait_until(lock, until, [&] { return events_.stop || events_.end || !events_.responses.empty(); });
  bytes_ = 0;
  Events taken = std::exchange(events_, {});
  events_.stop = taken.stop;
  return taken;
}

bool Inbox::OnResponse(uint64_t stream, DiscoveryResponse response) {
  const size_t bytes = response.ByteSizeLong();
  const std::lock_guard lock(mutex_);
  if (stream != stream_) return true;
  bytes_ += bytes;
  events_.responses.push_back(std::move(response));
  something_.notify_all();
  return bytes_ < kMostBytes && events_.responses.size() < kMostResponses;
}

void Inbox::OnEnd(uint64_t stream, int code, const std::string& message) {
  const std::lock_guard lock(mutex_);
  if (stream != stream_) return;
  events_.end = End{code, message};
  something_.notify_all();
}

}  // namespace egret
