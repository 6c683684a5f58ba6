#include "source/control/delta_session.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "source/xds/resource.h"

namespace egret {
namespace {

using enum ResourceType;
using Words = std::vector<std::string>;

std::string Url(ResourceType type) { return std::string(TypeUrl(type)); }

class Session : public testing::Test {
 protected:
  void SetUp() override { Publish({{kListener, "l", "1"}, {kEgressPolicy, "p", "1"}}); }

  struct Item {
    ResourceType type;
    std::string name, version;
    size_t bytes = 1;
  };
  void Publish(const std::vector<Item>& items) {
    auto next = std::make_shared<Publication>();
    for (const Item& item : items) {
      PublishedResource& resource = next->types[Url(item.type)][item.name];
      resource.version = item.version;
      resource.any.set_type_url(Url(item.type));
      resource.any.set_value(std::string(item.bytes, 'x'));
    }
    next->version = std::to_string(++publications_);
    Show(session.Publish(std::move(next)));
  }

  DeltaRequest Request(ResourceType type, const Words& subscribe = {}, const Words& unsubscribe = {}) {
    DeltaRequest request;
    request.set_type_url(Url(type));
    request.mutable_resource_names_subscribe()->Add(subscribe.begin(), subscribe.end());
    request.mutable_resource_names_unsubscribe()->Add(unsubscribe.begin(), unsubscribe.end());
    return request;
  }
  // "Listener l=1 -m": what was sent since it was asked last.
  std::string Ask(const DeltaRequest& request) {
    DeltaSession::Taken taken = session.Take(request);
    verdict = taken.verdict;
    misuse = taken.misuse;
    Show(taken.responses);
    return Sent();
  }
  std::string Ack(ResourceType type) {
    DeltaRequest request = Request(type);
    request.set_response_nonce(nonces[Url(type)]);
    return Ask(request);
  }
  std::string Sent() { return std::exchange(sent, ""); }

  void Show(const std::vector<DeltaResponse>& responses) {
    for (const DeltaResponse& response : responses) {
      nonces[response.type_url()] = response.nonce();
      sent += (sent.empty() ? "" : "; ") + response.type_url().substr(response.type_url().rfind('.') + 1);
      for (const auto& resource : response.resources()) sent += " " + resource.name() + "=" + resource.version();
      for (const std::string& name : response.removed_resources()) sent += " -" + name;
    }
  }

  DeltaSession session{"me", false};
  std::map<std::string, std::string> nonces;
  std::optional<Verdict> verdict;
  std::string misuse;

 private:
  std::string sent;
  int publications_ = 0;
};

TEST_F(Session, SendsWhatIsAskedForAndThenOnlyWhatChanges) {
  EXPECT_EQ(Ask(Request(kListener, {"*"})), "Listener l=1");
  EXPECT_EQ(Ask(Request(kEgressPolicy, {"p"})), "EgressPolicy p=1");
  EXPECT_EQ(Ack(kListener), "");
  EXPECT_EQ(Ack(kEgressPolicy), "");
  Publish({{kListener, "l", "1"}, {kEgressPolicy, "p", "2"}, {kEgressPolicy, "q", "1"}});
  EXPECT_EQ(Sent(), "EgressPolicy p=2");
}

TEST_F(Session, AnEmptyFirstRequestIsForAll) {
  EXPECT_EQ(Ask(Request(kListener)), "Listener l=1");
  EXPECT_EQ(Ack(kListener), "");
}

TEST_F(Session, TheFirstAnswerComesThoughThereIsNothing) {
  Publish({});
  EXPECT_EQ(Ask(Request(kListener, {"*"})), "Listener");
  EXPECT_EQ(Ack(kListener), "");
}

TEST_F(Session, SaysWhatIsNotThereOnce) {
  EXPECT_EQ(Ask(Request(kEgressPolicy, {"p", "q"})), "EgressPolicy p=1 -q");
  EXPECT_EQ(Ack(kEgressPolicy), "");
  Publish({{kEgressPolicy, "q", "1"}});
  EXPECT_EQ(Sent(), "EgressPolicy q=1 -p");
}

TEST_F(Session, OneResponseOfATypeIsOnItsWay) {
  EXPECT_EQ(Ask(Request(kListener, {"*"})), "Listener l=1");
  Publish({{kListener, "l", "2"}});
  Publish({{kListener, "l", "3"}, {kListener, "m", "1"}});
  EXPECT_EQ(Sent(), "");
  EXPECT_FALSE(session.settled());
  EXPECT_EQ(Ack(kListener), "Listener l=3 m=1");
  EXPECT_EQ(Ack(kListener), "");
  EXPECT_TRUE(session.settled());
}

TEST_F(Session, AfterAReconnectOnlyWhatIsNewIsSent) {
  DeltaRequest request = Request(kListener, {"*"});
  (*request.mutable_initial_resource_versions())["l"] = "1";
  (*request.mutable_initial_resource_versions())["old"] = "7";
  EXPECT_EQ(Ask(request), "Listener -old");
  request = Request(kEgressPolicy, {"p"});
  (*request.mutable_initial_resource_versions())["p"] = "1";
  EXPECT_EQ(Ask(request), "EgressPolicy");
}

TEST_F(Session, WhatIsSubscribedToAgainIsSentAgain) {
  EXPECT_EQ(Ask(Request(kEgressPolicy, {"p"})), "EgressPolicy p=1");
  EXPECT_EQ(Ack(kEgressPolicy), "");
  EXPECT_EQ(Ask(Request(kEgressPolicy, {"p"})), "EgressPolicy p=1");
}

TEST_F(Session, WhatIsUnsubscribedIsNotSentAnyMore) {
  Ask(Request(kEgressPolicy, {"p"}));
  Ack(kEgressPolicy);
  EXPECT_EQ(Ask(Request(kEgressPolicy, {}, {"p"})), "");
  Publish({{kEgressPolicy, "p", "2"}});
  EXPECT_EQ(Sent(), "");
}

TEST_F(Session, UnsubscribingWithinAWildcardIsAnswered) {
  Ask(Request(kListener, {"*", "l", "gone"}));
  Ack(kListener);
  EXPECT_EQ(Ask(Request(kListener, {}, {"l", "gone"})), "Listener l=1 -gone");
  Ack(kListener);
  EXPECT_EQ(Ask(Request(kListener, {}, {"never"})), "");
}

TEST_F(Session, WithoutItsWildcardOnlyNamesAreLeft) {
  Ask(Request(kListener, {"*"}));
  Ack(kListener);
  EXPECT_EQ(Ask(Request(kListener, {}, {"*"})), "");
  Publish({{kListener, "l", "2"}});
  EXPECT_EQ(Sent(), "");
}

TEST_F(Session, ARefusalIsRememberedAndNothingIsSentTwice) {
  Ask(Request(kEgressPolicy, {"p"}));
  DeltaRequest nack = Request(kEgressPolicy);
  nack.set_response_nonce(nonces[Url(kEgressPolicy)]);
  control::v1::Rejection rejection;
  rejection.set_name("p");
  rejection.set_remedy("mend it");
  nack.mutable_error_detail()->add_details()->PackFrom(rejection);
  EXPECT_EQ(Ask(nack), "");
  ASSERT_TRUE(verdict);
  EXPECT_FALSE(verdict->accepted);
  EXPECT_EQ(verdict->versions, (std::map<std::string, std::string>{{"p", "1"}}));
  ASSERT_EQ(verdict->rejections.size(), 1u);
  EXPECT_EQ(verdict->rejections.front().remedy(), "mend it");
  Publish({{kEgressPolicy, "p", "2"}});
  EXPECT_EQ(Sent(), "EgressPolicy p=2");
  Ack(kEgressPolicy);
  ASSERT_TRUE(verdict);
  EXPECT_TRUE(verdict->accepted);
}

TEST_F(Session, ARefusalWithoutDetailsIsOneToo) {
  Ask(Request(kEgressPolicy, {"p"}));
  DeltaRequest nack = Request(kEgressPolicy);
  nack.set_response_nonce(nonces[Url(kEgressPolicy)]);
  nack.mutable_error_detail()->set_message("no");
  Ask(nack);
  ASSERT_TRUE(verdict);
  EXPECT_EQ(verdict->rejections.front().reason(), "no");
}

TEST_F(Session, AnAnswerToSomethingOlderSaysNothingOfThis) {
  Ask(Request(kEgressPolicy, {"p"}));
  DeltaRequest late = Request(kEgressPolicy, {"q"});
  late.set_response_nonce("77");
  EXPECT_EQ(Ask(late), "");
  EXPECT_FALSE(verdict);
  EXPECT_EQ(Ack(kEgressPolicy), "EgressPolicy -q");  // but what it asks for counts
}

TEST_F(Session, SecretsNeedATrustedStreamAndANameOfTheirOwn) {
  Publish({{kSecret, "s", "1"}});
  EXPECT_EQ(Ask(Request(kSecret, {"s"})), "Secret -s");
  session = DeltaSession("me", true);
  Publish({{kSecret, "s", "1"}});
  EXPECT_EQ(Ask(Request(kSecret, {"*"})), "Secret");
  Ack(kSecret);
  EXPECT_EQ(Ask(Request(kSecret, {"s"})), "Secret s=1");
}

TEST_F(Session, ALargeSetTravelsInSeveralResponsesAndRemovalsComeLast) {
  constexpr size_t kBig = DeltaSession::kMostBytes / 2;
  Publish({{kListener, "old", "1"}});
  Ask(Request(kListener, {"*"}));
  Publish({{kListener, "a", "1", kBig}, {kListener, "b", "1", kBig}, {kListener, "c", "1", kBig}});
  EXPECT_EQ(Ack(kListener), "Listener a=1");
  EXPECT_EQ(Ack(kListener), "Listener b=1");
  EXPECT_EQ(Ack(kListener), "Listener c=1 -old");
}

TEST_F(Session, WhatGoesBeforeItsTurnCameIsSaidToBeGone) {
  Publish({{kListener, "a", "1"}, {kListener, "b", "1"}});
  EXPECT_EQ(Ask(Request(kListener, {"*", "b"})), "Listener a=1 b=1");
  EXPECT_EQ(Ask(Request(kListener, {"b"})), "");
  Publish({{kListener, "a", "2", DeltaSession::kMostBytes}, {kListener, "b", "1"}});
  EXPECT_EQ(Ack(kListener), "Listener a=2");  // b is for the next one
  Publish({{kListener, "a", "2", DeltaSession::kMostBytes}});
  EXPECT_EQ(Ack(kListener), "Listener -b");
}

TEST_F(Session, WhoSaysNoTypeIsNotServed) {
  DeltaRequest request;
  Ask(request);
  EXPECT_EQ(misuse, "a request without type_url");
}

}  // namespace
}  // namespace egret
