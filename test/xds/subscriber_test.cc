// The config thread, over real connections to control planes in this process.
#include "source/xds/subscriber.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "test/xds/fake_ads.h"
#include "test/xds/folder.h"
#include "test/xds/push.h"

namespace egret {
namespace {

using enum ResourceType;

// Waits for what is in force, from the test's thread.
class WaitingSink final : public ConfigSink {
 public:
  std::vector<ConfigError> Apply(std::shared_ptr<const config::v1::Bootstrap> effective) override {
    const std::lock_guard lock(mutex_);
    auto errors = inner_.Apply(std::move(effective));
    changed_.notify_all();
    return errors;
  }
  // What is in force once it is that, or after a long time.
  std::string Await(const std::string& names) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(60), [&] { return inner_.Names() == names; });
    return inner_.Names();
  }
  int calls() {
    const std::lock_guard lock(mutex_);
    return inner_.calls;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  RememberingSink inner_;
};

class Subscribed : public testing::Test {
 protected:
  void Start(std::string_view yaml, SubscriberOptions options = {}) {
    subscriber.emplace(std::move(options));
    subscriber->Start(BootstrapOf(yaml), sink);
  }
  std::string XdsYaml(std::string_view more = "") const {
    return Cat("xds: {servers: [{address: '", ads.address(), "'}]", more, "}\n");
  }
  // Answers the listeners' subscription, and then the policy's.
  static void Serve(FakeAds& server, std::string_view policy = "p", std::string_view nonce = "1") {
    ASSERT_TRUE(server.Next());
    server.Send(ResponseOf(kListener, nonce).Add(ListenerYaml("l", 1, policy)));
    const auto ack = server.Next();
    ASSERT_TRUE(ack);
    EXPECT_EQ(ack->response_nonce(), nonce);
    ASSERT_TRUE(server.Next());
    server.Send(ResponseOf(kEgressPolicy, "2").Add(PolicyYaml(policy)));
    ASSERT_TRUE(server.Next());
  }
  // The status once it is as it should be, or after a long time.
  std::shared_ptr<const PushStatus> Await(const std::function<bool(const PushStatus&)>& is) const {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    auto status = subscriber->Status();
    while (!is(*status) && std::chrono::steady_clock::now() < end) {
      std::this_thread::yield();
      status = subscriber->Status();
    }
    return status;
  }

  FakeAds ads;
  WaitingSink sink;
  std::optional<Subscriber> subscriber;
};

TEST_F(Subscribed, PutsInForceWhatIsPushedAndAnswers) {
  Start(XdsYaml(), {.release = "9.9"});
  const auto first = ads.Next();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->node().user_agent_version(), "9.9");
  ads.Send(ResponseOf(kListener, "n").Add(ListenerYaml("l", 1, "p")));
  EXPECT_EQ(ads.Next()->response_nonce(), "n");
  EXPECT_EQ(ads.Next()->resource_names_subscribe(0), "p");
  ads.Send(ResponseOf(kEgressPolicy, "m").Add(PolicyYaml("p")));
  EXPECT_EQ(sink.Await("listeners l policies p"), "listeners l policies p");
  EXPECT_EQ(ads.Next()->response_nonce(), "m");
  ads.Send(ResponseOf(kEgressPolicy, "bad").Add("{name: p, rules: [{name: r}]}", "2"));
  const auto nack = ads.Next();
  ASSERT_TRUE(nack);
  EXPECT_EQ(nack->response_nonce(), "bad");
  EXPECT_EQ(nack->error_detail().message(), "EgressPolicy p rules[0].action: no action; write ALLOW or DENY");
  const auto status = Await([](const PushStatus& now) { return !now.rejected.empty(); });
  EXPECT_TRUE(status->connected);
  EXPECT_TRUE(status->settled);
  EXPECT_EQ(status->source, ConfigSource::kXds);
  EXPECT_EQ(status->accepted, 2u);
  EXPECT_GT(status->last_good_unix_ms, 0);
}

TEST_F(Subscribed, ComesBackAfterAnEndAndAppliesNothingAnew) {
  Start(XdsYaml());
  Serve(ads);
  ASSERT_EQ(sink.Await("listeners l policies p"), "listeners l policies p");
  const int calls = sink.calls();
  ads.End({grpc::StatusCode::UNAVAILABLE, "moving"});
  const auto policies = ads.Next();
  const auto listeners = ads.Next();
  ASSERT_TRUE(policies && listeners);
  EXPECT_EQ(policies->initial_resource_versions().at("p"), "1");
  EXPECT_EQ(listeners->initial_resource_versions().at("l"), "1");
  EXPECT_EQ(policies->response_nonce() + listeners->response_nonce(), "");
  ads.Send(ResponseOf(kListener, "0").Add(ListenerYaml("l", 1, "p")));
  EXPECT_EQ(ads.Next()->response_nonce(), "0");
  EXPECT_EQ(sink.calls(), calls);
}

TEST_F(Subscribed, TurnsToTheNextServerWhereOneDoesNotAnswer) {
  FakeAds second;
  ads.Refuse(grpc::Status(grpc::StatusCode::UNAUTHENTICATED, "who are you?"));
  Start(Cat("xds: {servers: [{address: '", ads.address(), "'}, {address: '", second.address(), "'}]}\n"));
  Serve(second);
  EXPECT_EQ(sink.Await("listeners l policies p"), "listeners l policies p");
  const auto status = Await([](const PushStatus& now) { return now.connected; });
  EXPECT_EQ(status->server, second.address());
  EXPECT_EQ(status->attempts, 2u);
  EXPECT_EQ(status->streams, 1u);
}

TEST_F(Subscribed, SaysWhyAServerCannotBeUsed) {
  ads.Refuse(grpc::Status(grpc::StatusCode::UNIMPLEMENTED, "no such method"));
  Start(XdsYaml());
  const auto status = Await([](const PushStatus& now) { return !now.last_error.empty(); });
  EXPECT_EQ(status->last_error, Cat("server ", ads.address(),
                                    ": UNIMPLEMENTED: no such method; the server has to speak the incremental variant "
                                    "(DeltaAggregatedResources)"));
  EXPECT_FALSE(status->connected);
  EXPECT_EQ(sink.Await(""), "");  // nothing is in force, and nothing allowed
}

TEST_F(Subscribed, AMessageThatIsTooLargeIsSaidToBe) {
  Start(XdsYaml(", max_message_bytes: 1048576"));
  ASSERT_TRUE(ads.Next());
  ads.Send(ResponseOf(kListener, "1").Add(ListenerYaml("l", 1, "p"), std::string(size_t{2} << 20, 'v')));
  const auto status = Await([](const PushStatus& now) { return !now.last_error.empty(); });
  EXPECT_NE(status->last_error.find("RESOURCE_EXHAUSTED"), std::string::npos) << status->last_error;
  EXPECT_NE(status->last_error.find("raise xds.max_message_bytes"), std::string::npos) << status->last_error;
}

TEST_F(Subscribed, TakesMoreThanGrpcsOwnFourMebibytes) {
  Start(XdsYaml());
  ASSERT_TRUE(ads.Next());
  ads.Send(ResponseOf(kListener, "1").Add(ListenerYaml("l", 1, "p"), std::string(size_t{8} << 20, 'v')));
  EXPECT_EQ(ads.Next()->response_nonce(), "1");
}

TEST_F(Subscribed, KeepsWhatWasGoodForAStartWithoutAServer) {
  const Folder folder;
  const std::string yaml = XdsYaml(Cat(", initial_fetch_timeout: 1s, last_good: {directory: '", folder.path, "'}"));
  Start(yaml);
  Serve(ads);
  ASSERT_EQ(sink.Await("listeners l policies p"), "listeners l policies p");
  Await([](const PushStatus& now) { return now.accepted == 2; });
  subscriber->Stop();
  ads.Stop();
  WaitingSink other;
  Subscriber again;
  again.Start(BootstrapOf(yaml), other);
  EXPECT_EQ(other.Await("listeners l policies p"), "listeners l policies p");
  subscriber.reset();
}

TEST_F(Subscribed, ADirectoryServesUntilTheServersSetIsWhole) {
  const Folder folder;
  folder.Write("a.yaml", Cat("listeners:\n- ", ListenerYaml("d", 7, "q"), "\npolicies:\n- ", PolicyYaml("q"), "\n"));
  Start(Cat(XdsYaml(), "directory: {path: '", folder.path, "'}\n"));
  EXPECT_EQ(sink.Await("listeners d policies q"), "listeners d policies q");
  EXPECT_EQ(sink.calls(), 1);
  const auto status = Await([](const PushStatus& now) { return now.source == ConfigSource::kDirectory; });
  EXPECT_EQ(status->source, ConfigSource::kDirectory);
  Serve(ads);
  EXPECT_EQ(sink.Await("listeners l policies p q"), "listeners l policies p q");
}

TEST_F(Subscribed, ADirectoryAloneIsFollowed) {
  const Folder folder;
  const auto write = [&](std::string_view policy) {
    folder.Write("new",
                 Cat("listeners:\n- ", ListenerYaml("d", 7, policy), "\npolicies:\n- ", PolicyYaml(policy), "\n"));
    std::filesystem::rename(folder.At("new"), folder.At("a.yaml"));
  };
  write("q");
  Start(Cat("directory: {path: '", folder.path, "'}\n"));
  EXPECT_EQ(sink.Await("listeners d policies q"), "listeners d policies q");
  write("r");
  EXPECT_EQ(sink.Await("listeners d policies q r"), "listeners d policies q r");
  folder.Write("a.yaml", "policies: [{name: r, rules: [{}]}]\n");
  const auto status = Await([](const PushStatus& now) { return !now.directory_errors.empty(); });
  EXPECT_EQ(status->directory_reloads, 2u);
  EXPECT_TRUE(status->settled);
  EXPECT_EQ(sink.Await("listeners d policies q r"), "listeners d policies q r");
}

TEST_F(Subscribed, StopsWhileAServerIsSilent) {
  Start(XdsYaml());
  ASSERT_TRUE(ads.Next());
  subscriber->Stop();
  EXPECT_FALSE(subscriber->Status()->connected);
}

}  // namespace
}  // namespace egret
