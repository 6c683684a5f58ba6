// Both ends of discovery together, without a wire: what is published changes, is bad, and is refused, messages are
// late, streams break, time passes; and once all is good and quiet the proxy has in force what is published, and
// nothing else.
#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "source/base/log.h"
#include "source/base/strings.h"
#include "source/control/delta_session.h"
#include "source/xds/compose.h"
#include "source/xds/pushed_config.h"
#include "test/xds/push.h"

namespace egret {
namespace {

using enum ResourceType;

constexpr int kSteps = 150, kSeeds = 60;

struct Slot {
  ResourceType type;
  std::string name;
  std::string yaml = {};  // empty: there is none
};

class Together {
 public:
  explicit Together(unsigned seed)
      : random_(seed), client_(BootstrapOf("node: {id: me}\nxds: {servers: [{address: 'a:1'}]}\n"), sink_, "1") {
    client_.Start(now_);
    Edit();
    Reconnect();
  }

  void Step() {
    const int what = Pick(100);
    if (what < 25)
      Edit();
    else if (what < 55)
      Up();
    else if (what < 85)
      Down();
    else if (what < 90)
      Reconnect();
    else if (what < 95)
      Wait(Pick(70'000));
    else
      Refuse();
  }

  void Finish() {
    sink_.refuse = nullptr;
    for (Slot& slot : slots_) slot.yaml = Good(slot);
    Publish();
    for (int turn = 0; turn < 3; ++turn) {
      while (!up_.empty() || !down_.empty()) {
        Up();
        Down();
      }
      Wait(61'000);
    }
    EXPECT_TRUE(up_.empty() && down_.empty() && session_->settled());
    EXPECT_TRUE(client_.IsWhole());
    Compare();
  }

 private:
  int Pick(int below) { return std::uniform_int_distribution(0, below - 1)(random_); }

  std::string Good(const Slot& slot) {
    const std::string domain = Cat("d", Pick(3), ".example");
    if (slot.type == kListener) return ListenerYaml(slot.name, slot.name == "l0" ? 1 : 2, Cat("p", Pick(3)));
    if (slot.type == kDomainSet) return Cat("{name: ", slot.name, ", domains: [", domain, "]}");
    const int set = Pick(3);
    if (set == 2) return PolicyYaml(slot.name, domain);
    return Cat("{name: ", slot.name, ", rules: [{name: r, action: DENY, to: {domain_sets: [s", set, "]}}]}");
  }
  static std::string Bad(const Slot& slot) {
    if (slot.type == kListener) return Cat("{name: ", slot.name, ", address: nowhere}");
    if (slot.type == kDomainSet) return Cat("{name: ", slot.name, ", domains: ['*.*']}");
    return Cat("{name: ", slot.name, ", rules: [{name: r, action: ALLOW, to: {cidrs: ['1.2.3.4/99']}}]}");
  }

  void Edit() {
    for (int times = 1 + Pick(3); times > 0; --times) {
      Slot& slot = slots_[static_cast<size_t>(Pick(static_cast<int>(slots_.size())))];
      const int what = Pick(10);
      slot.yaml = what < 2 ? "" : what < 4 ? Bad(slot) : Good(slot);
    }
    Publish();
  }

  void Publish() {
    auto made = std::make_shared<Publication>();
    for (const Slot& slot : slots_)
      if (!slot.yaml.empty())
        made->types[std::string(TypeUrl(slot.type))][slot.name] = {slot.yaml, AnyOf(slot.type, slot.yaml)};
    made->version = std::to_string(++publications_);
    publication_ = std::move(made);
    if (session_) Send(session_->Publish(publication_));
  }

  void Send(const std::vector<DeltaResponse>& responses) {
    down_.insert(down_.end(), responses.begin(), responses.end());
  }
  void Say(const std::vector<DiscoveryRequest>& requests) { up_.insert(up_.end(), requests.begin(), requests.end()); }

  void Up() {
    if (up_.empty()) return;
    const DeltaSession::Taken taken = session_->Take(up_.front());
    EXPECT_EQ(taken.misuse, "");
    up_.pop_front();
    Send(taken.responses);
  }

  void Down() {
    std::vector<DiscoveryResponse> some;
    for (int times = 1 + Pick(3); times > 0 && !down_.empty(); --times) {
      some.push_back(std::move(down_.front()));
      down_.pop_front();
    }
    if (some.empty()) return;
    const std::vector<DiscoveryRequest> requests = client_.Take(some, now_);
    size_t answers = 0;
    for (const DiscoveryRequest& request : requests) answers += request.response_nonce().empty() ? 0 : 1;
    EXPECT_EQ(answers, some.size());
    Say(requests);
  }

  void Reconnect() {
    client_.End();
    up_.clear();
    down_.clear();
    session_.emplace("me", false);
    Send(session_->Publish(publication_));
    Say(client_.Begin());
  }

  void Wait(int64_t ms) {
    now_ += ms;
    Say(client_.Tick(now_));
  }

  // A port that another program has, for a while.
  void Refuse() {
    sink_.refuse = [port = Pick(3)](const config::v1::Bootstrap& effective) {
      std::vector<ConfigError> errors;
      for (int i = 0; i < effective.listeners_size(); ++i)
        if (effective.listeners(i).address().ends_with(Cat(":", port)))
          errors.push_back({.field = Cat("listeners[", i, "].address"), .why = "in use"});
      return errors;
    };
  }

  // What the listeners need, as it is published.
  void Compare() {
    std::map<ResourceKey, BodyPtr> wanted;
    std::vector<ResourceKey> open = {{kListener, "l0"}, {kListener, "l1"}};
    while (!open.empty()) {
      const ResourceKey key = open.back();
      open.pop_back();
      for (const Slot& slot : slots_)
        if (slot.type == key.type && slot.name == key.name) wanted[key] = BodyOf(slot.type, slot.yaml);
      for (const ResourceKey& reference : wanted.at(key)->references) open.push_back(reference);
    }
    const auto expected = Compose(config::v1::Bootstrap(), wanted);
    config::v1::Bootstrap actual = *sink_.in_force;
    actual.clear_xds();
    actual.clear_node();
    EXPECT_EQ(actual.DebugString(), expected->DebugString());
  }

  std::mt19937 random_;
  int64_t now_ = 1000;
  RememberingSink sink_;
  PushedConfig client_;
  std::array<Slot, 7> slots_ = {{{kListener, "l0"},
                                 {kListener, "l1"},
                                 {kEgressPolicy, "p0"},
                                 {kEgressPolicy, "p1"},
                                 {kEgressPolicy, "p2"},
                                 {kDomainSet, "s0"},
                                 {kDomainSet, "s1"}}};
  int publications_ = 0;
  PublicationPtr publication_;
  std::optional<DeltaSession> session_;
  std::deque<DiscoveryRequest> up_;
  std::deque<DiscoveryResponse> down_;
};

TEST(Together, WhateverHappensTheProxyHasInTheEndWhatIsPublished) {
  LogLevels::SetAll(LogLevel::kError);  // refusals are its daily bread
  for (unsigned seed = 0; seed < kSeeds && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    Together together(seed);
    for (int step = 0; step < kSteps; ++step) together.Step();
    together.Finish();
  }
}

}  // namespace
}  // namespace egret
