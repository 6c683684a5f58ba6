#include "source/auth/workloads.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "source/auth/workload_method.h"

namespace egret {
namespace {

IpAddress At(std::string_view text) { return *IpAddress::Parse(text); }

WorkloadSpec Of(std::string space, std::string account, std::vector<std::string> addresses) {
  WorkloadSpec spec;
  spec.namespace_ = std::move(space);
  spec.service_account = std::move(account);
  for (const std::string& address : addresses) spec.addresses.push_back(At(address));
  return spec;
}

TEST(Workloads, AnAddressSaysWhoAsks) {
  WorkloadSpec ci = Of("build", "ci", {"10.0.0.1", "2001:db8::1"});
  ci.labels = {{"app", "runner"}};
  ci.groups = {"builders"};
  const auto workloads = Workloads::Make({ci, Of("shop", "", {"10.0.0.2"})}, nullptr);
  for (const char* const address : {"10.0.0.1", "::ffff:10.0.0.1", "2001:db8::1"}) {
    const auto identity = workloads->Find(At(address));
    ASSERT_NE(identity, nullptr) << address;
    EXPECT_EQ(identity->service_account, "build/ci");
    EXPECT_EQ(identity->namespace_, "build");
    EXPECT_EQ(identity->Name(), "build/ci");
    EXPECT_EQ(identity->groups, std::vector<std::string>{"builders"});
    EXPECT_EQ(identity->assurance, Assurance::kSourceAddress);
    ASSERT_EQ(identity->claims.size(), 1u);
    EXPECT_EQ(identity->claims[0].name, "label.app");
    EXPECT_EQ(identity->claims[0].values, std::vector<std::string>{"runner"});
  }
  EXPECT_EQ(workloads->Find(At("10.0.0.2"))->Name(), "shop");
  EXPECT_EQ(workloads->Find(At("10.0.0.3")), nullptr);
}

TEST(Workloads, WhoLosesAnAddressIsNotKnownAnyMoreAndWhoKeepsOneIs) {
  const auto before = Workloads::Make({Of("a", "x", {"10.0.0.1", "10.0.0.2"}), Of("b", "y", {"10.0.0.3"})}, nullptr);
  const auto first = before->Find(At("10.0.0.1")), second = before->Find(At("10.0.0.2")),
             third = before->Find(At("10.0.0.3"));
  const auto after = Workloads::Make({Of("a", "x", {"10.0.0.1"}), Of("c", "z", {"10.0.0.2"})}, before.get());
  EXPECT_TRUE(second->HoldsAt(0));
  const uint64_t withdrawn = Vouch::Withdrawals();
  before->WithdrawAllBut(*after);
  EXPECT_EQ(Vouch::Withdrawals(), withdrawn + 2);
  EXPECT_TRUE(first->HoldsAt(0));
  EXPECT_EQ(after->Find(At("10.0.0.1")), first);
  EXPECT_FALSE(second->HoldsAt(0));
  EXPECT_FALSE(third->HoldsAt(0));
  EXPECT_TRUE(after->Find(At("10.0.0.2"))->HoldsAt(0));
  // Whoever comes back is known anew.
  const auto again = Workloads::Make({Of("b", "y", {"10.0.0.3"})}, before.get());
  EXPECT_TRUE(again->Find(At("10.0.0.3"))->HoldsAt(0));
}

TEST(WorkloadMethod, AnUnknownAddressIsNobodys) {
  const auto current = std::make_shared<Current<Workloads>>(Workloads::Make({Of("a", "x", {"10.0.0.1"})}, nullptr));
  const WorkloadMethod method(current);
  AuthQuestion question;
  question.source = At("10.0.0.1");
  EXPECT_EQ(method.AtOnce(question).kind, AuthVerdict::Kind::kAccepted);
  question.source = At("10.0.0.2");
  EXPECT_EQ(method.AtOnce(question).kind, AuthVerdict::Kind::kPassed);
}

}  // namespace
}  // namespace egret
