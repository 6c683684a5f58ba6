#include "source/ctl/admin_client.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "source/base/ip.h"
#include "source/base/strings.h"

namespace egret {
namespace {

constexpr int kAnswerSeconds = 60;  // a candidate policy is compiled before the answer begins
constexpr size_t kMostHead = size_t{16} << 10;
constexpr size_t kMostAnswer = size_t{64} << 20;

volatile sig_atomic_t interrupted = 0;

struct Address {
  sockaddr_storage bytes{};
  socklen_t size = 0;
};

bool IsLoopback(const IpAddress& address) {
  return address.v4() ? address.v4_bits() >> 24 == 127 : address == *IpAddress::Parse("::1");
}

Result<Address, Problem> AddressOf(std::string_view where) {
  Address out;
  constexpr std::string_view kUnix = "unix:";
  if (where.starts_with(kUnix)) {
    sockaddr_un local{};
    const std::string_view path = where.substr(kUnix.size());
    if (path.empty() || path.size() >= sizeof local.sun_path) return Problem{Cat(where, ": no path of a Unix socket")};
    local.sun_family = AF_UNIX;
    std::copy(path.begin(), path.end(), local.sun_path);
    std::memcpy(&out.bytes, &local, sizeof local);
    out.size = sizeof local;
    return out;
  }
  std::string text(where);
  if (text.starts_with("localhost:")) text.replace(0, std::strlen("localhost"), "127.0.0.1");
  const std::optional<Endpoint> endpoint = Endpoint::Parse(text);
  if (!endpoint) return Problem{Cat(where, ": no admin address; write 127.0.0.1:9901 or unix:/run/egret/admin.sock")};
  if (!IsLoopback(endpoint->address))
    return Problem{Cat(where,
                       ": not on this machine, and the admin interface is in clear; run egretctl there, or go "
                       "through ssh -L or kubectl port-forward")};
  out.size = endpoint->To(out.bytes);
  return out;
}

bool SendAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    text.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

}  // namespace

AdminCall::AdminCall(AdminCall&& other) noexcept
    : where_(std::move(other.where_)),
      fd_(std::exchange(other.fd_, -1)),
      status_(other.status_),
      length_(other.length_),
      unread_(std::move(other.unread_)) {}

AdminCall::~AdminCall() {
  if (fd_ >= 0) close(fd_);
}

// HTTP/1.0, so that an answer of unknown length ends with the connection.
Result<AdminCall, Problem> AdminCall::Make(std::string_view where, std::string_view method, std::string_view target,
                                           std::string_view body) {
  const Result<Address, Problem> address = AddressOf(where);
  if (!address) return address.error();
  AdminCall call(std::string(where), socket(address->bytes.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (call.fd_ < 0 || connect(call.fd_, reinterpret_cast<const sockaddr*>(&address->bytes), address->size) != 0)
    return Problem{Cat(where, ": ", std::strerror(errno), "; --admin says where the admin interface is")};
  call.Wait(kAnswerSeconds);
  std::string head = Cat(method, " ", target, " HTTP/1.0\r\nHost: localhost\r\n");
  if (method == "POST") Append(head, "Content-Length: ", body.size(), "\r\n");
  head += "\r\n";
  // A refusal may come before all of the body is taken, and it is what is to be told.
  const bool sent = SendAll(call.fd_, head) && SendAll(call.fd_, body);
  if (!call.ReadHead()) return Problem{Cat(where, sent ? ": no answer" : ": it does not take the request")};
  call.Wait(0);
  return call;
}

void AdminCall::Wait(int seconds) const {
  const timeval time{seconds, 0};
  setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
}

bool AdminCall::Fill() {
  char bytes[16 << 10];
  ssize_t n = 0;
  do {
    n = recv(fd_, bytes, sizeof bytes, 0);
  } while (n < 0 && errno == EINTR && !Interrupted());
  if (n > 0) unread_.append(bytes, static_cast<size_t>(n));
  return n > 0;
}

bool AdminCall::ReadHead() {
  constexpr std::string_view kEnd = "\r\n\r\n";
  size_t end = 0;
  while ((end = unread_.find(kEnd)) == std::string::npos)
    if (unread_.size() > kMostHead || !Fill()) return false;
  std::string_view head = std::string_view(unread_).substr(0, end + 2);
  const std::string_view first = SplitFirst(head, '\n');
  if (!first.starts_with("HTTP/1.") || first.size() < 12) return false;
  status_ = ParseDecimal<uint16_t>(first.substr(9, 3)).value_or(0);
  while (!head.empty()) {
    std::string_view value = SplitFirst(head, '\n');
    const std::string_view name = SplitFirst(value, ':');
    if (value.ends_with('\r')) value.remove_suffix(1);
    if (EqualsIgnoreCase(name, "Content-Length")) length_ = ParseDecimal<uint64_t>(TrimOws(value));
  }
  unread_.erase(0, end + kEnd.size());
  return status_ != 0;
}

std::optional<std::string> AdminCall::NextLine() {
  size_t end = 0;
  while ((end = unread_.find('\n')) == std::string::npos)
    if (unread_.size() > kMostAnswer || !Fill()) return std::nullopt;
  std::string line = unread_.substr(0, end);
  unread_.erase(0, end + 1);
  return line;
}

Result<std::string, Problem> AdminCall::Rest() {
  while (unread_.size() <= kMostAnswer && Fill()) {
  }
  if (length_ && unread_.size() != *length_) return Problem{Cat(where_, ": the answer was cut short")};
  return std::move(unread_);
}

void EndReadingAtInterrupt() {
  struct sigaction action{};
  action.sa_handler = [](int) { interrupted = 1; };  // without SA_RESTART, so that recv() returns
  sigaction(SIGINT, &action, nullptr);
}

bool Interrupted() { return interrupted != 0; }

Result<std::string, Problem> AskAdmin(std::string_view where, std::string_view method, std::string_view target) {
  Result<AdminCall, Problem> call = AdminCall::Make(where, method, target);
  if (!call) return call.error();
  Result<std::string, Problem> text = call->Rest();
  if (!text || call->status() == 200) return text;
  while (text->ends_with('\n')) text->pop_back();
  return Problem{Cat(where, ": ", *text)};
}

}  // namespace egret
