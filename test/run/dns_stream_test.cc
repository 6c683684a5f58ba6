// DNS over TCP behind the fence, on a loop turned by hand.
#include "source/run/dns_stream.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>
#include <string_view>

#include "source/base/strings.h"
#include "source/event/loop.h"
#include "source/event/nursery.h"
#include "source/run/stand_ins.h"
#include "test/support/socket_pair.h"

namespace egret {
namespace {

using namespace std::string_view_literals;

// With its length before it.
constexpr std::string_view kQuery = "\0\x18id\1\0\0\1\0\0\0\0\0\0\1a\4test\0\0\1\0\1"sv;
constexpr std::string_view kAddress = "\xc6\x12\0\1"sv;  // 198.18.0.1, at the end of an answer
constexpr size_t kAnswer = kQuery.size() + 16;

class DnsStream : public testing::Test {
 protected:
  DnsStream() { tasks_.Start(AnswerAllStreams(listening_, names_)); }
  ~DnsStream() override {
    tasks_.Clear();
    close(listening_);
  }

  int Connect() const { return ConnectTo(LocalOf(listening_)); }
  // What has come within some turns, `bytes` at most; "closed" where nothing will any more.
  std::string Read(int fd, size_t bytes) {
    std::array<char, 4096> part;
    std::string heard;
    for (int i = 0; i < 200 && heard.size() < bytes; ++i) {
      loop_.Turn(5);
      const ssize_t got = recv(fd, part.data(), part.size(), MSG_DONTWAIT);
      if (got == 0) return "closed";
      if (got > 0) heard.append(part.data(), static_cast<size_t>(got));
    }
    return heard;
  }

  Loop loop_;
  StandIns names_;
  const int listening_ = ListenOn({Loopback4(), 0});
  Nursery tasks_;
};

void Send(int fd, std::string_view text) {
  ASSERT_EQ(send(fd, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
}

TEST_F(DnsStream, AnswersQuestionsHoweverTheyCome) {
  const int fd = Connect();
  Send(fd, kQuery.substr(0, 1));
  loop_.Turn(5);
  Send(fd, kQuery.substr(1, 7));
  loop_.Turn(5);
  Send(fd, Cat(kQuery.substr(8), kQuery));
  const std::string answers = Read(fd, 2 * kAnswer);
  EXPECT_EQ(answers.size(), 2 * kAnswer);
  EXPECT_EQ(answers.substr(0, 4), "\0\x28id"sv);
  EXPECT_TRUE(answers.ends_with(kAddress));
  close(fd);
}

TEST_F(DnsStream, ClosesWhatIsNoDns) {
  for (const std::string_view text : {"\0\3abc"sv, "\xff\xff"sv}) {
    const int fd = Connect();
    Send(fd, text);
    EXPECT_EQ(Read(fd, 1), "closed");
    close(fd);
  }
}

TEST_F(DnsStream, OneTooManyIsClosedAndLaterOnesAreServed) {
  std::array<int, 64> held;
  for (int& fd : held) fd = Connect();
  const int one_more = Connect();
  EXPECT_EQ(Read(one_more, 1), "closed");
  for (const int fd : held) close(fd);
  close(one_more);
  for (int i = 0; i < 20; ++i) loop_.Turn(5);
  const int later = Connect();
  Send(later, kQuery);
  EXPECT_EQ(Read(later, kAnswer).size(), kAnswer);
  close(later);
}

}  // namespace
}  // namespace egret
