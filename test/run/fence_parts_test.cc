// What the fence is made of, where it can be seen without one.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "source/run/channel.h"
#include "source/run/environment.h"
#include "source/run/id_maps.h"

namespace egret {
namespace {

TEST(Channel, CarriesWholeMessagesAndDescriptorsUntilItsEnd) {
  auto ends = Channel::Pair();
  ASSERT_TRUE(ends);
  const Channel reader = std::move(ends->second);
  {
    const Channel writer = std::move(ends->first);
    const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    EXPECT_TRUE(writer.Send(Message::Kind::kDoors, {}, {fd, fd}));
    EXPECT_TRUE(writer.Send(Message::Kind::kProblem, "why"));
    close(fd);
  }
  const auto sockets = reader.Receive();
  ASSERT_TRUE(sockets);
  EXPECT_EQ(sockets->kind, Message::Kind::kDoors);
  EXPECT_EQ(sockets->fds.size(), 2u);
  EXPECT_TRUE((fcntl(sockets->fds.front().get(), F_GETFD) & FD_CLOEXEC) != 0);
  const auto problem = reader.Receive();
  ASSERT_TRUE(problem);
  EXPECT_EQ(problem->text, "why");
  EXPECT_FALSE(reader.Receive());
  EXPECT_FALSE(reader.Send(Message::Kind::kGo));
}

TEST(Channel, CutsWhatIsTooLong) {
  const auto ends = Channel::Pair();
  ASSERT_TRUE(ends);
  EXPECT_TRUE(ends->first.Send(Message::Kind::kProblem, std::string(2 * Channel::kMostText, 'x')));
  EXPECT_EQ(ends->second.Receive()->text.size(), Channel::kMostText - 1);
}

TEST(IdMaps, NameEveryIdAsItIs) {
  EXPECT_EQ(IdentityOf("         0          0 4294967295\n"), "0 0 4294967295\n");
  EXPECT_EQ(IdentityOf("0 100000 1000\n1000 1000 1\n"), "0 0 1000\n1000 1000 1\n");
  EXPECT_EQ(IdentityOf(""), "");
}

TEST(Environment, TakesThePlaceOfWhatLedElsewhere) {
  const auto made =
      EnvironmentOf({"A=1", "http_proxy=http://elsewhere", "http_proxy=twice", "NO_PROXY=*"}, "127.0.0.1:5");
  const auto count = [&made](std::string_view start) {
    return std::count_if(made.begin(), made.end(), [start](const std::string& one) { return one.starts_with(start); });
  };
  EXPECT_EQ(made.front(), "A=1");
  EXPECT_EQ(count("http_proxy="), 1);
  EXPECT_EQ(count("http_proxy=http://127.0.0.1:5"), 1);
  EXPECT_EQ(count("NO_PROXY=localhost,127.0.0.1,::1"), 1);
}

TEST(Environment, KeepsOtherOptionsOfJava) {
  for (const std::string& one : EnvironmentOf({"JAVA_TOOL_OPTIONS=-Xmx1g"}, "127.0.0.1:5"))
    if (one.starts_with("JAVA_TOOL_OPTIONS="))
      EXPECT_EQ(one,
                "JAVA_TOOL_OPTIONS=-Xmx1g -Dhttp.proxyHost=127.0.0.1 -Dhttp.proxyPort=5 -Dhttps.proxyHost=127.0.0.1 "
                "-Dhttps.proxyPort=5");
}

TEST(Environment, NamesWhatIsToBeBelieved) {
  const auto made = EnvironmentOf({"SSL_CERT_FILE=/other"}, "127.0.0.1:5", {.pem = "/roots.pem", .java = "/roots.p12"});
  const auto has = [&made](std::string_view one) { return std::find(made.begin(), made.end(), one) != made.end(); };
  EXPECT_TRUE(has("SSL_CERT_FILE=/roots.pem"));
  EXPECT_FALSE(has("SSL_CERT_FILE=/other"));
  EXPECT_TRUE(has("CARGO_HTTP_CAINFO=/roots.pem"));
  EXPECT_TRUE(std::any_of(made.begin(), made.end(), [](const std::string& one) {
    return one.starts_with("JAVA_TOOL_OPTIONS=") && one.ends_with(" -Djavax.net.ssl.trustStore=/roots.p12");
  }));
}

}  // namespace
}  // namespace egret
