// What a proxy reports, over real connections to a control plane in this process.
#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "egret/control/v1/fleet.grpc.pb.h"
#include "source/xds/subscriber.h"
#include "test/xds/fake_ads.h"
#include "test/xds/push.h"

namespace egret {
namespace {

using control::v1::Command;
using control::v1::Report;
using Told = control::v1::ResourceStatus;

constexpr std::chrono::seconds kPatience{60};

// What came, for a test to wait for.
template <class T>
class Queue {
 public:
  void Put(T item) {
    const std::lock_guard lock(mutex_);
    items_.push_back(std::move(item));
    filled_.notify_all();
  }
  std::optional<T> Next() {
    std::unique_lock lock(mutex_);
    if (!filled_.wait_for(lock, kPatience, [&] { return !items_.empty(); })) return std::nullopt;
    T item = std::move(items_.front());
    items_.pop_front();
    return item;
  }

 private:
  std::mutex mutex_;
  std::condition_variable filled_;
  std::deque<T> items_;
};

// Says one thing to whoever reports for the first time, and remembers what is reported.
class FakeFleet final : public control::v1::Fleet::Service {
 public:
  Queue<Report> reports;

 private:
  using Stream = grpc::ServerReaderWriter<Command, Report>;
  grpc::Status Connect(grpc::ServerContext* /*context*/, Stream* stream) override {
    Command drain;
    drain.mutable_drain();
    stream->Write(drain);
    for (Report report; stream->Read(&report);) reports.Put(report);
    return grpc::Status::OK;
  }
};

class FakeHost final : public FleetHost {
 public:
  void Tell(Report& report) override { report.set_requests(7); }
  void Forget() override {}
  void Obey(const Command& command) override { commands.Put(command); }
  Queue<Command> commands;
};

class FleetLinkTest : public testing::Test {
 protected:
  void Start(const FakeAds& ads) {
    subscriber.emplace(SubscriberOptions{.release = "9.9", .fleet = &host});
    subscriber->Start(
        BootstrapOf(Cat("node: {id: p1, cluster: web}\nxds: {servers: [{address: '", ads.address(), "'}]}\n")), sink);
  }
  static void Serve(FakeAds& ads) {
    ASSERT_TRUE(ads.Next());
    ads.Send(ResponseOf(ResourceType::kListener, "1").Add(ListenerYaml("l", 1, "p")));
    ASSERT_TRUE(ads.Next());
    ASSERT_TRUE(ads.Next());
    ads.Send(ResponseOf(ResourceType::kEgressPolicy, "2").Add(PolicyYaml("p")));
    ASSERT_TRUE(ads.Next());
  }

  RememberingSink sink;
  FakeHost host;
  FakeFleet fleet;
  std::optional<Subscriber> subscriber;
};

TEST_F(FleetLinkTest, ReportsWhoItIsAndWhatItHasAndObeys) {
  FakeAds ads(grpc::InsecureServerCredentials(), &fleet);
  Start(ads);
  Serve(ads);
  const auto first = fleet.reports.Next();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->node().id() + " " + first->node().cluster() + " " + first->release(), "p1 web 9.9");
  EXPECT_TRUE(first->has_config());
  EXPECT_EQ(first->requests(), 7u);
  const auto command = host.commands.Next();
  ASSERT_TRUE(command);
  EXPECT_TRUE(command->has_drain());
  ads.Send(ResponseOf(ResourceType::kEgressPolicy, "bad").Add("{name: p, rules: [{name: r}]}", "2"));
  std::optional<Report> report;
  do report = fleet.reports.Next();
  while (report && (report->resources().empty() || report->resources(0).state() != Told::PARKED));
  ASSERT_TRUE(report);
  EXPECT_FALSE(report->has_node());
  EXPECT_EQ(report->resources(0).errors(0).field(), "rules[0].action");
  EXPECT_EQ(report->resources(0).version_in_force() + report->resources(0).version_received(), "12");
  subscriber.reset();
}

// A server that does not have the service loses nothing, and a new connection finds out anew.
TEST_F(FleetLinkTest, AServerWithoutItIsLeftAlone) {
  FakeAds ads;
  Start(ads);
  Serve(ads);
  ads.Send(ResponseOf(ResourceType::kEgressPolicy, "3").Add(PolicyYaml("p", "b.example"), "2"));
  EXPECT_EQ(ads.Next()->response_nonce(), "3");
  EXPECT_EQ(ads.streams(), 1);
  subscriber.reset();
  EXPECT_EQ(sink.Names(), "listeners l policies p");
}

}  // namespace
}  // namespace egret
