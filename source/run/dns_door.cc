#include "source/run/dns_door.h"

#include <sys/socket.h>

#include <array>
#include <string>
#include <string_view>

#include "source/base/check.h"
#include "source/event/loop.h"
#include "source/event/wait.h"
#include "source/run/dns_answer.h"

namespace egret {

void AnswerQuestions(int fd, StandIns& names) {
  std::array<char, 512> query;  // RFC 1035 4.2.1; what is longer has no question that is answered
  for (;;) {
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    auto* const raw = reinterpret_cast<sockaddr*>(&peer);
    const ssize_t got = recvfrom(fd, query.data(), query.size(), 0, raw, &size);
    if (got < 0) return;
    const std::string answer = AnswerDns(std::string_view(query.data(), static_cast<size_t>(got)), names);
    if (!answer.empty()) sendto(fd, answer.data(), answer.size(), MSG_NOSIGNAL, raw, size);
  }
}

Task<void> AnswerAllQuestions(int fd, StandIns& names) {
  FdWatch watch;
  CHECK(Loop::current()->Watch(fd, watch));
  for (;;) {
    co_await GateAwaiter(watch.read);
    watch.read.Close();
    AnswerQuestions(fd, names);
  }
}

}  // namespace egret
