#include "tools/bench/load_run.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "source/base/strings.h"
#include "tools/bench/load_http1.h"
#include "tools/bench/load_http2.h"

namespace egret::bench {
namespace {

constexpr std::chrono::seconds kSilence{10};  // a proxy that says nothing for so long has failed
constexpr uint64_t kMaxErrors = 1000;

}  // namespace

Run::Run(const Plan& plan) : plan_(plan), buffer_(std::make_unique<char[]>(kBufferBytes)) {
  for (size_t i = 0; i < plan.connections; ++i)
    clients_.push_back(plan.http2 ? MakeHttp2Client(*this) : MakeHttp1Client(*this));
}

Run::~Run() = default;

double Run::Go(const Extent& extent) {
  totals_ = {};
  extent_ = extent;
  begun_ = 0;
  const Clock::time_point began = Clock::now();
  const auto stop = began + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(extent.seconds));
  due_ = began;
  idle_.clear();
  for (const auto& client : clients_) client->Begin();
  while (outstanding_ > 0 || (paced() && more())) {
    const std::chrono::nanoseconds patience = Patience();
    const std::span<const epoll_event> events = poller_.Wait(patience);
    errno = ETIMEDOUT;
    if (events.empty() && patience == kSilence) Die("no answer");
    in_time_ = Clock::now() < stop;
    for (const epoll_event& event : events) static_cast<Client*>(event.data.ptr)->OnEvent(event.events);
    if (paced()) BeginDue();
  }
  return std::chrono::duration<double>(Clock::now() - began).count();
}

void Run::BeginDue() {
  while (!idle_.empty() && more() && due_ <= Clock::now()) {
    Client* const client = idle_.back();
    idle_.pop_back();
    client->Begin();
  }
}

// How long nothing may happen.
std::chrono::nanoseconds Run::Patience() const {
  if (idle_.empty() || !more()) return kSilence;
  return std::clamp<std::chrono::nanoseconds>(due_ - Clock::now(), std::chrono::nanoseconds(0), kSilence);
}

std::string Run::NextAuthority() {
  const size_t number = next_++;
  const Endpoint& target = plan_.targets[number % plan_.targets.size()];
  if (plan_.names == 0) return target.ToString();
  return Cat("n", number % plan_.names, ".bench.test:", target.port);
}

Clock::time_point Run::Began() {
  ++outstanding_;
  ++begun_;
  if (!paced()) return Clock::now();
  return std::exchange(due_, due_ + std::chrono::nanoseconds(static_cast<int64_t>(1e9 / plan_.rate)));
}

void Run::Succeeded(Clock::time_point began) {
  --outstanding_;
  ++totals_.operations;
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - began);
  totals_.latencies_us.push_back(static_cast<uint32_t>(took.count()));
}

void Run::Failed(std::string_view why) {
  --outstanding_;
  if (++totals_.errors <= kMaxErrors) return;
  std::fprintf(stderr, "\ntoo many errors; the last one: %s\n", std::string(why).c_str());
  std::exit(1);
}

uint32_t Run::LatencyUs(double quantile) {
  std::vector<uint32_t>& all = totals_.latencies_us;
  if (all.empty()) return 0;
  const auto at = std::min(all.size() - 1, static_cast<size_t>(quantile * static_cast<double>(all.size())));
  std::nth_element(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(at), all.end());
  return all[at];
}

}  // namespace egret::bench
