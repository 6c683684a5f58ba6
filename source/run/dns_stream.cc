#include "source/run/dns_stream.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "source/event/combine.h"
#include "source/event/loop.h"
#include "source/event/nursery.h"
#include "source/event/wait.h"
#include "source/io/listen.h"
#include "source/run/channel.h"
#include "source/run/dns_answer.h"

namespace egret {
namespace {

constexpr size_t kMostStreams = 64, kMostQuery = 2048;
constexpr uint64_t kIdleMs = 10'000;

// Answers the whole queries in `heard`, each after its length in two bytes, and takes them out. False: this is no DNS,
// or nobody reads the answers.
bool AnswerHeard(int fd, std::string& heard, StandIns& names) {
  while (heard.size() >= 2) {
    const size_t size = static_cast<uint8_t>(heard[0]) * size_t{256} + static_cast<uint8_t>(heard[1]);
    if (size > kMostQuery) return false;
    if (heard.size() - 2 < size) return true;
    const std::string answer = AnswerDns(std::string_view(heard).substr(2, size), names);
    if (answer.empty()) return false;
    std::string out = {static_cast<char>(answer.size() / 256), static_cast<char>(answer.size() % 256)};
    out += answer;
    if (send(fd, out.data(), out.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(out.size())) return false;
    heard.erase(0, 2 + size);
  }
  return true;
}

// What there is, up to a bound. False: nothing will come any more.
bool Hear(int fd, std::string& heard, Gate& readable) {
  std::array<char, kMostQuery> part;
  const ssize_t got = recv(fd, part.data(), part.size(), 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
    readable.Close();
    return true;
  }
  if (got > 0) heard.append(part.data(), static_cast<size_t>(got));
  return got > 0;
}

Task<void> Converse(int fd, StandIns& names) {
  FdWatch watch;
  std::string heard;
  if (!Loop::current()->Watch(fd, watch)) co_return;
  while (co_await GateWithin(watch.read, kIdleMs)) {
    if (!Hear(fd, heard, watch.read) || !AnswerHeard(fd, heard, names)) co_return;
    co_await Yield();  // who never stops asking is not the only one here
  }
}

class Streams final : public AcceptSink {
 public:
  explicit Streams(StandIns& names) : names_(names) {}
  void Accepted(int fd, const Endpoint&) override {
    OwnedFd stream(fd);
    if (live_ < kMostStreams) serving_.Start(Serve(std::move(stream)));
  }

 private:
  Task<void> Serve(OwnedFd fd) {
    ++live_;
    co_await Converse(fd.get(), names_);
    --live_;
  }

  StandIns& names_;
  size_t live_ = 0;
  Nursery serving_;
};

}  // namespace

Task<void> AnswerAllStreams(int fd, StandIns& names) {
  Streams streams(names);
  AcceptCounters counters;
  co_await AcceptLoop(fd, streams, counters);
}

}  // namespace egret
