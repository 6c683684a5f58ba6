#include "source/server/drain.h"

#include <algorithm>

#include "source/config/duration.h"
#include "source/event/combine.h"

namespace egret {
namespace {

constexpr uint64_t kLastTurnsMs = 500;  // for what was ended at the deadline to say so in the log
constexpr uint64_t kGoodbyeMs = 5000;   // for the log's last lines, and for threads to end

}  // namespace

DrainTimes DrainTimesOf(const config::v1::Bootstrap& bootstrap, const Options& options) {
  DrainTimes times;
  const config::v1::Drain& drain = bootstrap.drain();
  if (drain.has_accept_grace()) times.accept_grace_ms = Milliseconds(drain.accept_grace());
  if (drain.has_timeout()) times.timeout_ms = Milliseconds(drain.timeout());
  if (drain.has_jitter()) times.jitter_ms = Milliseconds(drain.jitter());
  if (options.drain_ms) times.timeout_ms = *options.drain_ms;
  return times;
}

uint64_t Drain::within_ms() const { return times_.whole_ms() + kLastTurnsMs + kGoodbyeMs; }

void Drain::Start(DrainTimes times) {
  begun_ = true;
  until_ms_ = loop_.now_ms() + times.whole_ms() + kLastTurnsMs;
  for (const auto& worker : workers_) worker->Drain(times);
}

void Drain::Begin() {
  if (!begun_) Start(times_);
}

void Drain::TakenOver() {
  DrainTimes times = times_;
  times.accept_grace_ms = 0;
  Start(times);
  StopInTheEnd();
}

void Drain::Quit() {
  if (quitting_) return loop_.Stop();
  quitting_ = true;
  Begin();
  StopInTheEnd();
}

void Drain::StopInTheEnd() {
  if (stopping_.empty()) stopping_.Start(StopWhenDrained());
}

Task<void> Drain::StopWhenDrained() {
  const uint64_t now_ms = loop_.now_ms();
  co_await GateWithin(drained_, until_ms_ - std::min(until_ms_, now_ms));
  loop_.Stop();
}

std::function<void()> Drain::OnWorkerDrained() {
  return [this, main = loop_.mailbox()] {
    main->Post([this] {
      if (++workers_drained_ >= workers_.size()) drained_.Open();
    });
  };
}

}  // namespace egret
