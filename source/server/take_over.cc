#include "source/server/take_over.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <set>
#include <utility>

#include "source/base/strings.h"
#include "source/event/combine.h"
#include "source/event/loop.h"

namespace egret {
namespace {

constexpr std::string_view kHello = "egret-take-over 1";
constexpr std::string_view kReady = "ready";
constexpr std::string_view kSockets = "sockets ";
constexpr std::string_view kNo = "no ";
constexpr size_t kLongestLine = 512;
constexpr size_t kMostSockets = 65536;
constexpr uint64_t kPatienceMs = 10000;

// A line and, at most, one descriptor with it.
bool SendLine(int fd, std::string_view line, int handed = -1) {
  const std::string text = Cat(line, '\n');
  iovec piece{const_cast<char*>(text.data()), text.size()};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  if (handed >= 0) {
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &handed, sizeof handed);
  }
  return sendmsg(fd, &message, MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
}

// Lines and descriptors as they come; the kernel gives the bytes of one message with descriptors at a time, so the
// order of both is that in which they were sent.
class Lines {
 public:
  explicit Lines(int fd) : fd_(fd) {}
  ~Lines() {
    for (const int fd : fds_) close(fd);
  }
  Lines(const Lines&) = delete;
  Lines& operator=(const Lines&) = delete;

  enum class Got { kLine, kAgain, kEnd };
  // kAgain where the socket is non-blocking, or its time-out has passed.
  Got Next(std::string& line) {
    for (;;) {
      if (const size_t end = text_.find('\n'); end != std::string::npos) {
        line = text_.substr(0, end);
        text_.erase(0, end + 1);
        return Got::kLine;
      }
      if (text_.size() > kLongestLine) return Got::kEnd;
      if (const Got got = Receive(); got != Got::kLine) return got;
    }
  }
  int TakeFd() {
    if (fds_.empty()) return -1;
    const int fd = fds_.front();
    fds_.erase(fds_.begin());
    return fd;
  }

 private:
  Got Receive() {
    std::array<char, kLongestLine> bytes;
    iovec piece{bytes.data(), bytes.size()};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * 16)> control{};
    msghdr message{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t n = recvmsg(fd_, &message, MSG_CMSG_CLOEXEC);
    if (n < 0 && errno == EINTR) return Got::kLine;
    if (n < 0) return errno == EAGAIN ? Got::kAgain : Got::kEnd;
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
      if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
      const size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
      for (size_t i = 0; i < count; ++i) {
        int fd;
        std::memcpy(&fd, CMSG_DATA(header) + i * sizeof fd, sizeof fd);
        fds_.push_back(fd);
      }
    }
    if (n == 0) return Got::kEnd;
    text_.append(bytes.data(), static_cast<size_t>(n));
    return Got::kLine;
  }

  int fd_;
  std::string text_;
  std::vector<int> fds_;
};

// Whether the other end runs as the same user: nobody else may take our sockets or give us theirs.
bool IsOurUser(int fd) {
  ucred peer{};
  socklen_t size = sizeof peer;
  return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == geteuid();
}

void BePatient(int fd) {
  const timeval limit{.tv_sec = kPatienceMs / 1000, .tv_usec = 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

// The sockets; or why there are none.
Result<std::vector<NamedSocket>, std::string> Receive(int fd) {
  if (!SendLine(fd, kHello)) return Cat("cannot ask it: ", strerror(errno));
  Lines lines(fd);
  std::string line;
  if (lines.Next(line) != Lines::Got::kLine) return std::string("it does not answer");
  if (line.starts_with(kNo)) return Cat("it says: ", line.substr(kNo.size()));
  const auto count = line.starts_with(kSockets) ? ParseDecimal<size_t>(std::string_view(line).substr(kSockets.size()))
                                                : std::optional<size_t>();
  if (!count || *count > kMostSockets) return std::string("what it says is not understood");
  std::vector<NamedSocket> sockets;
  for (size_t i = 0; i < *count; ++i) {
    if (lines.Next(line) != Lines::Got::kLine) return std::string("it stopped in the middle");
    const int handed = lines.TakeFd();
    if (handed < 0) return Cat(line, ": no descriptor came with it; is RLIMIT_NOFILE too low?");
    Result<ListenSocket, std::string> socket = ListenSocket::Adopt(handed);
    if (!socket) return Cat(line, ": ", socket.error());
    sockets.push_back({line, std::move(*socket)});
  }
  return sockets;
}

// Two descriptors of one socket are one: a worker more each time would else take a descriptor more each time.
void LeaveOutCopies(std::vector<OfferedSocket>& sockets) {
  std::set<std::pair<dev_t, ino_t>> seen;
  std::erase_if(sockets, [&](const OfferedSocket& offered) {
    struct stat info{};
    return fstat(offered.fd, &info) != 0 || !seen.emplace(info.st_dev, info.st_ino).second;
  });
}

}  // namespace

std::vector<ListenSocket> HandedSockets::Take(const ListenAddress& wanted, std::string_view name) {
  const auto fits = [&](const NamedSocket& handed) {
    const ListenAddress& bound = handed.socket.bound();
    if (!wanted.path.empty() || wanted.ip.port != 0) return bound == wanted;
    return handed.name == name && bound.path.empty() && bound.ip.address == wanted.ip.address;
  };
  std::vector<ListenSocket> taken;
  for (NamedSocket& handed : sockets_)
    if (fits(handed)) taken.push_back(std::move(handed.socket));
  std::erase_if(sockets_, [](const NamedSocket& handed) { return handed.socket.fd() < 0; });
  return taken;
}

std::optional<ListenSocket> HandedSockets::TakeOne(const ListenAddress& wanted, std::string_view name) {
  std::vector<ListenSocket> taken = Take(wanted, name);
  if (taken.empty()) return std::nullopt;
  return std::move(taken.front());
}

std::optional<ListenSocket> HandedSockets::TakeNamed(std::string_view name) {
  const auto at = std::find_if(sockets_.begin(), sockets_.end(), [&](const auto& one) { return one.name == name; });
  if (at == sockets_.end()) return std::nullopt;
  std::optional<ListenSocket> taken(std::move(at->socket));
  sockets_.erase(at);
  return taken;
}

Result<std::vector<ListenSocket>, std::string> EnoughFor(uint32_t workers, std::vector<ListenSocket> sockets) {
  const size_t own = sockets.size();
  while (own > 0 && sockets.size() < workers) {
    Result<ListenSocket, std::string> copy = ListenSocket::Adopt(dup(sockets[sockets.size() % own].fd()));
    if (!copy) return copy.error();
    sockets.push_back(std::move(*copy));
  }
  return sockets;
}

Predecessor::~Predecessor() {
  if (fd_ >= 0) close(fd_);
}
Predecessor::Predecessor(Predecessor&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), sockets_(std::move(other.sockets_)) {}

Result<std::optional<Predecessor>, std::string> Predecessor::Find(const ListenAddress& address) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return std::string(strerror(errno));
  Predecessor found(fd);
  sockaddr_un un{};
  un.sun_family = AF_UNIX;
  std::memcpy(un.sun_path, address.path.data(), address.path.size());  // shorter: ListenAddress::Parse sees to it
  BePatient(fd);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&un), sizeof un) != 0) {
    if (errno == ENOENT || errno == ECONNREFUSED) return std::optional<Predecessor>();
    return std::string(strerror(errno));
  }
  if (!IsOurUser(fd)) return std::string("what listens there runs as another user");
  Result<std::vector<NamedSocket>, std::string> sockets = Receive(fd);
  if (!sockets) return sockets.error();
  found.sockets_ = std::move(*sockets);
  return std::optional<Predecessor>(std::move(found));
}

// Where it is not heard, the predecessor has ended meanwhile.
void Predecessor::SayReady() { SendLine(fd_, kReady); }

TakeOverPoint::TakeOverPoint(ListenSocket socket, std::function<std::vector<OfferedSocket>()> offer,
                             std::function<void()> taken)
    : socket_(std::move(socket)), offer_(std::move(offer)), taken_(std::move(taken)) {
  accepting_.Start(AcceptLoop(socket_.fd(), *this, counters_));
}

TakeOverPoint::~TakeOverPoint() {
  accepting_.Clear();
  sessions_.Clear();
}

void TakeOverPoint::Stop() {
  stopped_ = true;
  accepting_.Clear();
}

void TakeOverPoint::Accepted(int fd, const Endpoint& /*peer*/) { sessions_.Start(Session(fd)); }

namespace {

// A descriptor with its gates, closed in the end.
struct Line {
  explicit Line(int from) : fd(from) {
    if (!Loop::current()->Watch(fd, watch)) watch.read.Open();
  }
  ~Line() { close(fd); }
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;
  int fd;
  FdWatch watch;
};

// The next line, or nothing at the end.
Task<std::optional<std::string>> NextLine(Line& line, Lines& lines) {
  for (;;) {
    std::string text;
    const Lines::Got got = lines.Next(text);
    if (got == Lines::Got::kLine) co_return text;
    if (got == Lines::Got::kEnd) co_return std::nullopt;
    line.watch.read.Close();
    co_await GateAwaiter(line.watch.read);
  }
}

// All in one go: a peer that does not read is no successor. The sender's limits hold some hundred descriptors at least.
Task<bool> SendAll(Line& line, std::vector<OfferedSocket> sockets) {
  if (!SendLine(line.fd, Cat(kSockets, sockets.size()))) co_return false;
  for (const OfferedSocket& offered : sockets) {
    while (!SendLine(line.fd, offered.name, offered.fd)) {
      if (errno != EAGAIN && errno != ETOOMANYREFS) co_return false;
      line.watch.write.Close();
      co_await GateWithin(line.watch.write, 50);
    }
  }
  co_return true;
}

}  // namespace

Task<void> TakeOverPoint::Session(int fd) {
  Line line(fd);
  Lines lines(fd);
  if (!IsOurUser(fd)) co_return;
  const auto hello = co_await WithDeadline(NextLine(line, lines), kPatienceMs);
  if (!hello || !*hello) co_return;
  if (**hello != kHello || busy_ || stopped_) {
    SendLine(fd, Cat(kNo, **hello != kHello ? "another version of taking over is spoken here"
                          : busy_           ? "another process is taking over"
                                            : "this process is ending"));
    co_return;
  }
  busy_ = true;
  std::vector<OfferedSocket> sockets = offer_();
  LeaveOutCopies(sockets);
  const auto sent = co_await WithDeadline(SendAll(line, std::move(sockets)), kPatienceMs);
  const bool ready = sent.value_or(false) && co_await NextLine(line, lines) == kReady;
  busy_ = false;
  if (ready && !std::exchange(stopped_, true)) taken_();
}

}  // namespace egret
