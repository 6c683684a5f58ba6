#include "source/io/dial.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <utility>

#include "source/base/descriptors.h"
#include "source/event/combine.h"
#include "source/event/loop.h"
#include "source/io/socket_stream.h"

namespace egret {
namespace {

// One connect() under way. Not moved: it is hooked on its stream's gate.
struct Attempt {
  Endpoint to;
  std::unique_ptr<SocketStream> stream;  // null: over
  Waiter waiter;                         // dies before the gate that it hangs on
};

// Calls connect(); the error at once, or 0 where it is under way or done.
int Begin(const Endpoint& to, std::unique_ptr<SocketStream>& stream) {
  const int fd = socket(to.address.v4() ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
  if (fd < 0) return errno;
  if (fd >= DescriptorShares::OfProcess().dial_below) {  // what is left is for others
    close(fd);
    return EMFILE;
  }
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_storage address;
  const socklen_t size = to.To(address);
  const int result = connect(fd, reinterpret_cast<const sockaddr*>(&address), size);
  if (result < 0 && errno != EINPROGRESS) {
    const int error = errno;
    close(fd);
    return error;
  }
  stream = std::make_unique<SocketStream>(fd);
  return 0;
}

// Judges a connect() that ended. getpeername() answers both questions at once: whether the socket is connected, and to
// whom. That the kernel agrees with what policy vetted is checked, not assumed.
DialAttempt Judge(const Endpoint& to, SocketStream& stream, Endpoint& peer) {
  sockaddr_storage address;
  socklen_t size = sizeof address;
  if (getpeername(stream.fd(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    const int why = stream.TakeError();
    const int error = why != 0 ? why : ECONNRESET;  // connected, and reset before we looked
    return {to, ConnectFault(error), error};
  }
  peer = Endpoint::From(address);
  if (peer != to) return {to, Fault::kInternal, 0};
  return {to, Fault::kNone, 0};
}

// How much a failure says: "no route" is what every IPv6 address gives on an IPv4-only host.
bool SaysLittle(Fault fault) { return fault == Fault::kConnectUnreachable; }

Fault Tell(const std::vector<DialAttempt>& failed) {
  const auto meaningful =
      std::find_if(failed.rbegin(), failed.rend(), [](const DialAttempt& one) { return !SaysLittle(one.fault); });
  return meaningful != failed.rend() ? meaningful->fault : Fault::kConnectUnreachable;
}

Task<DialResult> DialOne(Endpoint to, uint64_t timeout_ms) {
  DialResult result;
  std::unique_ptr<SocketStream> stream;
  DialAttempt attempt{to, Fault::kNone, Begin(to, stream)};
  if (stream == nullptr) {
    attempt.fault = ConnectFault(attempt.error);
  } else if (!co_await GateWithin(stream->WriteGate(), timeout_ms)) {
    attempt = {to, Fault::kConnectTimeout, ETIMEDOUT};
  } else {
    attempt = Judge(to, *stream, result.peer);
  }
  result.fault = attempt.fault;
  if (attempt.fault == Fault::kNone) {
    result.stream = std::move(stream);
  } else {
    result.failed.push_back(attempt);
  }
  co_return std::move(result);
}

// The attempts of one dial, those under way and those still to come.
class Contest {
 public:
  Contest(std::span<const IpAddress> addresses, uint16_t port, const DialOptions& options)
      : addresses_(DialOrder(addresses, options.max_attempts)), port_(port), options_(options) {
    const uint64_t now = Loop::current()->now_ms();
    deadline_ = now + options.connect_timeout_ms;
    next_at_ = now;
  }

  bool over() const { return result_.stream != nullptr || (under_way_ == 0 && next_ == addresses_.size()); }

  // Starts what is due: the next address when its time has come, and at once where nothing is under way.
  void StartDue() {
    while (next_ < addresses_.size() && (under_way_ == 0 || Loop::current()->now_ms() >= next_at_)) {
      Attempt& attempt = attempts_.emplace_back();
      attempt.to = {addresses_[next_++], port_};
      const int error = Begin(attempt.to, attempt.stream);
      if (error != 0) {
        Fail({attempt.to, ConnectFault(error), error});
        continue;
      }
      ++under_way_;
      next_at_ = Loop::current()->now_ms() + options_.attempt_ms;
    }
  }

  // Looks at what ended. A failure makes the next address due.
  void Look() {
    for (Attempt& attempt : attempts_) {
      if (attempt.stream == nullptr || !attempt.stream->WriteGate().open()) continue;
      const DialAttempt outcome = Judge(attempt.to, *attempt.stream, result_.peer);
      if (outcome.fault == Fault::kNone) {
        result_.stream = std::move(attempt.stream);
        return;
      }
      End(attempt, outcome);
      next_at_ = 0;
    }
    if (Loop::current()->now_ms() >= deadline_) GiveUp();
  }

  // Until one of them ends, the next is due, or time is up. May wake for nothing.
  auto Wait() {
    struct Awaiter {
      Contest& contest;
      bool await_ready() const { return false; }
      void await_suspend(std::coroutine_handle<> handle) { contest.Hook(handle); }
      void await_resume() const { contest.Unhook(); }
    };
    return Awaiter{*this};
  }

  DialResult Take() {
    result_.fault = result_.stream != nullptr ? Fault::kNone : Tell(result_.failed);
    return std::move(result_);
  }

 private:
  void Hook(std::coroutine_handle<> handle) {
    for (Attempt& attempt : attempts_) {
      if (attempt.stream == nullptr) continue;
      attempt.waiter.handle = handle;
      attempt.stream->WriteGate().Hook(attempt.waiter);
    }
    const uint64_t now = Loop::current()->now_ms();
    const uint64_t until = next_ < addresses_.size() ? std::min(next_at_, deadline_) : deadline_;
    timer_.handle = handle;
    Loop::current()->Arm(timer_, until > now ? until - now : 0);
  }
  void Unhook() {
    for (Attempt& attempt : attempts_) attempt.waiter.Unlink();
    timer_.Unlink();
  }
  void End(Attempt& attempt, const DialAttempt& outcome) {
    attempt.waiter.Unlink();
    attempt.stream = nullptr;
    --under_way_;
    Fail(outcome);
  }
  void Fail(const DialAttempt& outcome) { result_.failed.push_back(outcome); }
  void GiveUp() {
    for (Attempt& attempt : attempts_)
      if (attempt.stream != nullptr) End(attempt, {attempt.to, Fault::kConnectTimeout, ETIMEDOUT});
    next_ = addresses_.size();
  }

  std::vector<IpAddress> addresses_;
  uint16_t port_;
  const DialOptions& options_;
  uint64_t deadline_ = 0, next_at_ = 0;
  size_t next_ = 0, under_way_ = 0;
  DialResult result_;
  std::deque<Attempt> attempts_;
  Timer timer_;
};

Task<DialResult> DialSeveral(std::span<const IpAddress> addresses, uint16_t port, const DialOptions& options) {
  Contest contest(addresses, port, options);
  for (;;) {
    contest.StartDue();
    if (contest.over()) break;
    co_await contest.Wait();
    contest.Look();
    if (contest.over()) break;
  }
  co_return contest.Take();
}

Task<DialResult> DialNone() {
  DialResult result;
  result.fault = Fault::kDnsNoAddress;
  co_return std::move(result);
}

}  // namespace

Fault ConnectFault(int error) {
  switch (error) {
    case ECONNREFUSED:
      return Fault::kConnectRefused;
    case ETIMEDOUT:
      return Fault::kConnectTimeout;
    case EHOSTUNREACH:
    case ENETUNREACH:
      return Fault::kConnectUnreachable;
    case EACCES:
    case EPERM:
      return Fault::kConnectProhibited;
    case ECONNRESET:
      return Fault::kConnectReset;
    case EADDRNOTAVAIL:
      return Fault::kLocalPortExhausted;
    case EMFILE:
    case ENFILE:
      return Fault::kDescriptorsExhausted;
    default:
      return Fault::kConnectFailed;
  }
}

std::vector<IpAddress> DialOrder(std::span<const IpAddress> addresses, size_t most) {
  std::vector<IpAddress> v6, v4, out;
  for (const IpAddress& address : addresses) (address.v4() ? v4 : v6).push_back(address);
  for (size_t i = 0; i < std::max(v6.size(), v4.size()); ++i) {
    if (i < v6.size()) out.push_back(v6[i]);
    if (i < v4.size()) out.push_back(v4[i]);
  }
  if (out.size() > most) out.resize(most);
  return out;
}

// One address is the common case and pays for nothing but its system calls and a timer slot.
Task<DialResult> DialAny(std::span<const IpAddress> addresses, uint16_t port, const DialOptions& options) {
  if (addresses.empty()) return DialNone();
  if (addresses.size() == 1) return DialOne({addresses.front(), port}, options.connect_timeout_ms);
  return DialSeveral(addresses, port, options);
}

}  // namespace egret
