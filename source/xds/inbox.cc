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

void Inbox::ListenToFleet(uint64_t stream) {
  const std::lock_guard lock(mutex_);
  fleet_stream_ = stream;
  events_.commands.clear();
  events_.fleet_end.reset();
}

void Inbox::Stop() {
  const std::lock_guard lock(mutex_);
  events_.stop = true;
  something_.notify_all();
}

void Inbox::Nudge() {
  const std::lock_guard lock(mutex_);
  events_.nudged = true;
  something_.notify_all();
}

bool Inbox::HasResponses(Clock::time_point from) const {
  return !events_.responses.empty() && (events_.end || Clock::now() >= from);
}

bool Inbox::HasSomething(Clock::time_point responses_from) const {
  return events_.nudged || events_.stop || events_.end || HasResponses(responses_from) || events_.fleet_end ||
         !events_.commands.empty();
}

Inbox::Events Inbox::Wait(Clock::time_point until, Clock::time_point responses_from) {
  std::unique_lock lock(mutex_);
  something_.wait_until(lock, until, [&] { return HasSomething(responses_from); });
  const bool with_responses = HasResponses(responses_from);
  Events taken = std::exchange(events_, {});
  events_.stop = taken.stop;
  if (with_responses)
    bytes_ = 0;
  else
    std::swap(events_.responses, taken.responses);
  return taken;
}

bool Inbox::OnReceived(uint64_t stream, DiscoveryResponse response) {
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

bool Inbox::Fleet::OnReceived(uint64_t stream, control::v1::Command command) {
  const std::lock_guard lock(inbox_.mutex_);
  if (stream != inbox_.fleet_stream_) return true;
  inbox_.events_.commands.push_back(std::move(command));
  inbox_.something_.notify_all();
  return inbox_.events_.commands.size() < kMostCommands;
}

void Inbox::Fleet::OnEnd(uint64_t stream, int code, const std::string& message) {
  const std::lock_guard lock(inbox_.mutex_);
  if (stream != inbox_.fleet_stream_) return;
  inbox_.events_.fleet_end = End{code, message};
  inbox_.something_.notify_all();
}

}  // namespace egret
