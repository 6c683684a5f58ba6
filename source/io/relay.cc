#include "source/io/relay.h"

#include <algorithm>
#include <array>

#include "source/event/loop.h"
#include "source/io/pump.h"
#include "source/io/socket_stream.h"

namespace egret {
namespace {

constexpr uint64_t kNever = UINT64_MAX;

class Tunnel {
 public:
  Tunnel(Stream& client, Stream& upstream, const RelayLimits& limits, RelayCounters& live, Gate& ending)
      : client_(client),
        upstream_(upstream),
        limits_(limits),
        live_(live),
        ending_(ending),
        up_(client, upstream, live.to_upstream, live.held),
        down_(upstream, client, live.to_client, live.held),
        started_(Loop::current()->now_ms()),
        active_(started_) {}

  // Does what can be done now. True once it is over.
  bool Step() {
    if (ending_.open()) return Over(RelayEnd::kToldToEnd);
    const uint64_t before = Moved();
    up_.Move();
    down_.Move();
    if (Moved() != before) active_ = Loop::current()->now_ms();
    if (Broke()) return true;
    if (!half_closed_ && (up_.ended() || down_.ended())) HalfClose();
    if (up_.ended() && down_.ended()) return true;
    return VanishedUnread() || OutOfTime();
  }

  RelayEnd End() {
    end_.to_upstream = live_.to_upstream.Read();
    end_.to_client = live_.to_client.Read();
    if (!end_.in_order()) {
      client_.Abort();
      upstream_.Abort();
    }
    return end_;
  }

  // Until a gate that one of the directions needs opens, a side that is still owed bytes is gone, or the timer fires.
  // May wake for nothing.
  auto Wait() {
    struct Awaiter {
      Tunnel& tunnel;
      bool await_ready() const { return false; }
      void await_suspend(std::coroutine_handle<> handle) { tunnel.Hook(handle); }
      void await_resume() const { tunnel.Unhook(); }
    };
    return Awaiter{*this};
  }

 private:
  enum { kUp, kDown, kClientGone, kUpstreamGone, kEnding, kWaiters };

  uint64_t Moved() const { return live_.to_upstream.Read() + live_.to_client.Read(); }

  bool Over(RelayEnd::Reason reason, int error = 0) {
    end_.reason = reason;
    end_.error = error;
    return true;
  }

  bool ClientBroke(int error) {
    return Over(error == kSevered ? RelayEnd::kClientSevered : RelayEnd::kClientReset, error);
  }
  bool UpstreamBroke(int error) {
    return Over(error == kSevered ? RelayEnd::kUpstreamSevered : RelayEnd::kUpstreamReset, error);
  }

  bool Broke() {
    using enum Pump::State;
    if (up_.broke()) {
      return up_.state() == kSourceBroke ? ClientBroke(up_.error()) : UpstreamBroke(up_.error());
    }
    if (down_.broke()) {
      return down_.state() == kSourceBroke ? UpstreamBroke(down_.error()) : ClientBroke(down_.error());
    }
    return false;
  }

  void HalfClose() {
    half_closed_ = true;
    end_.reason = up_.ended() ? RelayEnd::kClientFin : RelayEnd::kUpstreamFin;
    active_ = Loop::current()->now_ms();
    timer_.Unlink();  // another limit holds from here on
  }

  // A side to which bytes may still go can vanish while the direction from it is stuck at the other side, where no read
  // would meet the reset. A side that was told the end is no such case: a socket whose both ways are shut says HUP too.
  bool VanishedUnread() {
    using enum Pump::State;
    if (!down_.ended() && client_.GoneGate().open() && up_.state() != kMore)
      return Over(RelayEnd::kClientReset, ErrorOf(client_));
    if (!up_.ended() && upstream_.GoneGate().open() && down_.state() != kMore)
      return Over(RelayEnd::kUpstreamReset, ErrorOf(upstream_));
    return false;
  }

  static int ErrorOf(Stream& stream) {
    SocketStream* socket = stream.AsSocket();
    return socket != nullptr ? socket->TakeError() : 0;
  }

  uint64_t QuietUntil() const {
    const uint64_t limit = half_closed_ && limits_.half_closed_ms != 0 ? limits_.half_closed_ms : limits_.idle_ms;
    return limit != 0 ? active_ + limit : kNever;
  }
  uint64_t LifeUntil() const { return limits_.lifetime_ms != 0 ? started_ + limits_.lifetime_ms : kNever; }

  bool OutOfTime() {
    const uint64_t now = Loop::current()->now_ms();
    if (now >= LifeUntil()) return Over(RelayEnd::kLifetime);
    if (now >= QuietUntil()) return Over(half_closed_ ? RelayEnd::kHalfClosedTimeout : RelayEnd::kIdleTimeout);
    return false;
  }

  void HookPump(Pump& pump, Waiter& waiter) {
    if (pump.ended()) return;
    if (pump.state() == Pump::State::kMore || pump.AwaitedGate().open()) {
      Loop::current()->Ready(waiter);
    } else {
      pump.AwaitedGate().Hook(waiter);
    }
  }
  void Hook(std::coroutine_handle<> handle) {
    for (Waiter& waiter : waiters_) waiter.handle = handle;
    HookPump(up_, waiters_[kUp]);
    HookPump(down_, waiters_[kDown]);
    if (!down_.ended() && !client_.GoneGate().open()) client_.GoneGate().Hook(waiters_[kClientGone]);
    if (!up_.ended() && !upstream_.GoneGate().open()) upstream_.GoneGate().Hook(waiters_[kUpstreamGone]);
    ending_.Hook(waiters_[kEnding]);
    // One timer sleeps through all traffic. When it fires the time of the last byte says how much longer.
    const uint64_t until = std::min(QuietUntil(), LifeUntil());
    if (until == kNever || timer_.linked()) return;
    timer_.handle = handle;
    Loop::current()->Arm(timer_, until - std::min(until, Loop::current()->now_ms()));
  }
  void Unhook() {
    for (Waiter& waiter : waiters_) waiter.Unlink();
  }

  Stream& client_;
  Stream& upstream_;
  const RelayLimits& limits_;
  RelayCounters& live_;
  Gate& ending_;
  Pump up_, down_;
  const uint64_t started_;
  uint64_t active_;  // when the last byte moved
  RelayEnd end_;
  bool half_closed_ = false;
  std::array<Waiter, kWaiters> waiters_;
  Timer timer_;
};

}  // namespace

Task<RelayEnd> Relay(Stream& client, Stream& upstream, const RelayLimits& limits, RelayCounters& live, Gate& ending) {
  Tunnel tunnel(client, upstream, limits, live, ending);
  while (!tunnel.Step()) co_await tunnel.Wait();
  co_return tunnel.End();
}

std::string_view NameOf(RelayEnd::Reason reason) {
  constexpr std::array<std::string_view, 10> kNames = {
      "client_fin",       "upstream_fin", "client_reset",        "upstream_reset", "client_severed",
      "upstream_severed", "idle_timeout", "half_closed_timeout", "max_lifetime",   "told_to_end"};
  return kNames[reason];
}

Failure FailureOf(RelayEnd::Reason reason) {
  switch (reason) {
    case RelayEnd::kClientFin:
    case RelayEnd::kUpstreamFin:
    case RelayEnd::kToldToEnd:
      return {};
    case RelayEnd::kClientReset:
      return {Side::kClient, Fault::kClientGone};
    case RelayEnd::kUpstreamReset:
      return {Side::kUpstream, Fault::kUpstreamReset};
    case RelayEnd::kClientSevered:
      return {Side::kClient, Fault::kClientEnded};
    case RelayEnd::kUpstreamSevered:
      return {Side::kUpstream, Fault::kUpstreamTruncated};
    case RelayEnd::kIdleTimeout:
      return {Side::kEgret, Fault::kIdleTimeout};
    case RelayEnd::kHalfClosedTimeout:
      return {Side::kEgret, Fault::kHalfClosedTimeout};
    case RelayEnd::kLifetime:
      return {Side::kEgret, Fault::kLifetime};
  }
  return {Side::kEgret, Fault::kInternal};
}

}  // namespace egret
