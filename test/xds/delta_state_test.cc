#include "source/xds/delta_state.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "source/base/strings.h"

namespace egret {
namespace {

const WireType kListeners = NativeType(ResourceType::kListener);
const WireType kPolicies = NativeType(ResourceType::kEgressPolicy);

DiscoveryNode Node() {
  DiscoveryNode node;
  node.set_id("me");
  return node;
}

// "Listener node +a +b -c a=1 ack n": what a request says.
std::string Shown(const DiscoveryRequest& request) {
  std::string out = request.type_url().substr(request.type_url().rfind('.') + 1);
  if (request.has_node()) Append(out, " node=", request.node().id());
  for (const std::string& name : request.resource_names_subscribe()) Append(out, " +", name);
  for (const std::string& name : request.resource_names_unsubscribe()) Append(out, " -", name);
  std::map<std::string, std::string> versions(request.initial_resource_versions().begin(),
                                              request.initial_resource_versions().end());
  for (const auto& [name, version] : versions) Append(out, " ", name, "=", version);
  if (!request.response_nonce().empty())
    Append(out, request.has_error_detail() ? " nack " : " ack ", request.response_nonce());
  return out;
}
std::string Shown(const std::vector<DiscoveryRequest>& requests) {
  std::string out;
  for (const DiscoveryRequest& request : requests) Append(out, Shown(request), "\n");
  return out;
}

DiscoveryResponse Response(const WireType& type, std::string_view nonce) {
  DiscoveryResponse response;
  response.set_type_url(type.url);
  response.set_nonce(std::string(nonce));
  return response;
}

class Delta : public testing::Test {
 protected:
  std::map<std::string, std::string> versions;
  DeltaState state{Node(), [this](const WireType&) { return versions; }};
};

TEST_F(Delta, SaysTheNodeOnceAStreamAndNoVersionsOnTheFirst) {
  versions = {{"a", "1"}};
  EXPECT_EQ(Shown(state.Want(kListeners, {"*"})), "");
  EXPECT_EQ(Shown(state.Want(kPolicies, {"a", "b"})), "");
  EXPECT_EQ(Shown(state.Begin()), "EgressPolicy node=me +a +b\nListener +*\n");
}

TEST_F(Delta, SaysAllAgainOnTheNextStreamWithWhatIsHere) {
  state.Want(kPolicies, {"a", "b"});
  state.Begin();
  state.Want(kPolicies, {"b", "c"});
  state.End();
  versions = {{"b", "7"}};
  EXPECT_EQ(Shown(state.Want(kPolicies, {"b", "d"})), "");
  EXPECT_EQ(Shown(state.Begin()), "EgressPolicy node=me +b +d b=7\n");
}

TEST_F(Delta, SaysDifferencesTheNewOnesFirst) {
  state.Want(kPolicies, {"a", "b"});
  state.Begin();
  EXPECT_EQ(Shown(state.Want(kPolicies, {"b", "c"})), "EgressPolicy +c\nEgressPolicy -a\n");
  EXPECT_EQ(Shown(state.Want(kPolicies, {"b", "c"})), "");
  EXPECT_EQ(Shown(state.Want(kPolicies, {})), "EgressPolicy -b -c\n");
  EXPECT_EQ(Shown(state.Want(kPolicies, {"b"})), "EgressPolicy +b\n");
}

// Without a name a first request would ask for everything there is.
TEST_F(Delta, SaysNothingOfATypeOfWhichNothingIsWanted) {
  state.Want(kListeners, {"*"});
  state.Want(kPolicies, {});
  EXPECT_EQ(Shown(state.Begin()), "Listener node=me +*\n");
  EXPECT_EQ(state.TypeOf(kPolicies.url), nullptr);
  EXPECT_EQ(Shown(state.Want(kPolicies, {"a"})), "EgressPolicy +a\n");
  EXPECT_NE(state.TypeOf(kPolicies.url), nullptr);
}

TEST_F(Delta, KnowsWhatWasAskedFor) {
  state.Want(kListeners, {"*"});
  state.Want(kPolicies, {"a"});
  state.Begin();
  EXPECT_TRUE(state.IsAsked(kListeners, "whatever"));
  EXPECT_TRUE(state.IsAsked(kPolicies, "a"));
  EXPECT_FALSE(state.IsAsked(kPolicies, "b"));
  EXPECT_EQ(state.TypeOf("type.googleapis.com/other"), nullptr);
}

TEST_F(Delta, RepeatsTheNonceWhateverItIs) {
  state.Want(kPolicies, {"a"});
  state.Begin();
  EXPECT_EQ(Shown(state.Answer(Response(kPolicies, "0"), {})), "EgressPolicy ack 0");
  EXPECT_EQ(Shown(state.Answer(Response(kPolicies, "z 9"), {})), "EgressPolicy ack z 9");
}

TEST_F(Delta, ARefusalSaysWhyForPeopleAndForPrograms) {
  state.Want(kPolicies, {"a"});
  state.Begin();
  control::v1::Rejection rejection;
  rejection.set_type_url(kPolicies.url);
  rejection.set_name("a");
  rejection.set_field("rules[0].to.cidrs[0]");
  rejection.set_value("10.0.0.0/33");
  rejection.set_reason("not a range of addresses");
  rejection.set_remedy("write e.g. 10.0.0.0/8");
  const DiscoveryRequest nack =
      state.Answer(Response(kPolicies, "1"), std::vector<control::v1::Rejection>(150, rejection));
  EXPECT_EQ(Shown(nack), "EgressPolicy nack 1");
  EXPECT_EQ(nack.error_detail().code(), 13);
  const std::string line =
      "EgressPolicy a rules[0].to.cidrs[0]: 10.0.0.0/33: not a range of addresses; write e.g. 10.0.0.0/8\n";
  EXPECT_TRUE(nack.error_detail().message().starts_with(line + line)) << nack.error_detail().message();
  EXPECT_TRUE(nack.error_detail().message().ends_with("\n... and 50 more"));
  ASSERT_EQ(nack.error_detail().details_size(), kMostRejections);
  control::v1::Rejection read;
  ASSERT_TRUE(nack.error_detail().details(0).UnpackTo(&read));
  EXPECT_EQ(read.SerializeAsString(), rejection.SerializeAsString());
}

}  // namespace
}  // namespace egret
