// Secrets of both sides in a file that is nobody else's, bounded and with an end; nothing where nobody asked.
#include "source/tls/key_log.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "source/base/strings.h"
#include "test/support/tls_ends.h"

namespace egret {
namespace {

class KeyLogTest : public testing::Test {
 protected:
  KeyLogTest() : path_(Cat(testing::TempDir(), "keys-", getpid())) { std::remove(path_.c_str()); }
  ~KeyLogTest() override { std::remove(path_.c_str()); }

  std::unique_ptr<KeyLog> Open(uint64_t duration_ms = 60000, uint64_t max_file_bytes = 1 << 20) {
    auto opened = KeyLog::Open({path_, duration_ms, max_file_bytes});
    EXPECT_TRUE(opened.ok()) << opened.error().text;
    return opened.ok() ? std::move(*opened) : nullptr;
  }
  std::string WhyNot() const {
    auto opened = KeyLog::Open({path_});
    return opened.ok() ? "" : opened.error().text;
  }
  // Contexts are made anew: those of before do not know of a log that came later.
  void Shake() {
    TlsServerOptions server;
    server.certificates.push_back(ca_.Issue({.alt_names = {"DNS:a.test"}}));
    TlsClientOptions client;
    client.trust = ca_.trust();
    TlsEnds ends = TlsEnds::Over(MakeClient(client), MakeServer(server));
    const auto [at_client, at_server] = ends.Shake(loop_);
    EXPECT_FALSE(at_client);
    EXPECT_FALSE(at_server);
  }
  std::vector<std::string> Lines() const {
    std::ifstream file(path_);
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
  }
  void Put(const std::string& text, mode_t mode) const {
    std::ofstream(path_) << text;
    ASSERT_EQ(chmod(path_.c_str(), mode), 0);
  }

  const std::string path_;
  Loop loop_;
  const TestCa ca_;
};

TEST_F(KeyLogTest, BothSidesTellTheSameSecrets) {
  const auto log = Open();
  Shake();
  const std::vector<std::string> lines = Lines();
  std::multiset<std::string> labels;
  for (const std::string& line : lines) labels.insert(line.substr(0, line.find(' ')));
  for (const char* const label : {"CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET",
                                  "CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0"})
    EXPECT_EQ(labels.count(label), 2u) << label;
  EXPECT_EQ(std::set<std::string>(lines.begin(), lines.end()).size(), lines.size() / 2);
  struct stat file{};
  ASSERT_EQ(stat(path_.c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 0777, 0600u);
}

TEST_F(KeyLogTest, NothingIsWrittenWhereNobodyAskedOrAnyMore) {
  Shake();
  EXPECT_TRUE(Lines().empty());
  auto log = Open();
  EXPECT_EQ(KeyLog::Current(), log.get());
  log.reset();
  EXPECT_EQ(KeyLog::Current(), nullptr);
  Shake();
  EXPECT_TRUE(Lines().empty());
}

TEST_F(KeyLogTest, ItEndsByItself) {
  const auto log = Open(0);
  EXPECT_FALSE(log->active());
  Shake();
  EXPECT_TRUE(Lines().empty());
}

TEST_F(KeyLogTest, TheFileIsNeverLargerThanItMayBe) {
  const auto log = Open(60000, 500);
  Shake();
  EXPECT_FALSE(log->active());
  struct stat file{};
  ASSERT_EQ(stat(path_.c_str(), &file), 0);
  EXPECT_GT(file.st_size, 0);
  EXPECT_LE(file.st_size, 500);
}

TEST_F(KeyLogTest, WhatIsThereIsKept) {
  Put("before\n", 0600);
  const auto log = Open();
  Shake();
  EXPECT_EQ(Lines().front(), "before");
  EXPECT_GT(Lines().size(), 4u);
}

TEST_F(KeyLogTest, WhatOthersHaveAHandInIsNotWrittenTo) {
  Put("", 0640);
  EXPECT_EQ(WhyNot(), "others may open it; chmod 600");
  ASSERT_EQ(chmod(path_.c_str(), 0600), 0);
  const std::string other = path_ + "-other";
  ASSERT_EQ(link(path_.c_str(), other.c_str()), 0);
  EXPECT_EQ(WhyNot(), "it has a second name");
  std::remove(path_.c_str());
  ASSERT_EQ(symlink(other.c_str(), path_.c_str()), 0);
  EXPECT_EQ(WhyNot(), "it is a link");
  std::remove(path_.c_str());
  std::remove(other.c_str());
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  EXPECT_NE(WhyNot(), "") << "nobody is waited for";
  EXPECT_EQ(KeyLog::Current(), nullptr);
}

}  // namespace
}  // namespace egret
