#include "source/chain/leaf_refusals.h"

#include <gtest/gtest.h>

#include <string>

namespace egret {
namespace {

uint64_t Count(const LeafRefusals::Seen& seen, LeafRefusal how) { return seen.how[static_cast<size_t>(how)]; }

TEST(LeafRefusals, CountsByNameAndReasonAndRemembersWhen) {
  LeafRefusals refusals;
  refusals.Add("a.test", LeafRefusal::kUnknownCa, 10);
  refusals.Add("a.test", LeafRefusal::kSilent, 20);
  refusals.Add("a.test", LeafRefusal::kUnknownCa, 30);
  refusals.Add("b.test", LeafRefusal::kBadCertificate, 40);
  ASSERT_EQ(refusals.names().size(), 2u);
  const LeafRefusals::Seen& seen = refusals.names().at("a.test");
  EXPECT_EQ(Count(seen, LeafRefusal::kUnknownCa), 2u);
  EXPECT_EQ(Count(seen, LeafRefusal::kSilent), 1u);
  EXPECT_EQ(seen.first, 10);
  EXPECT_EQ(seen.last, 30);
}

TEST(LeafRefusals, ForgetsWhoeverWasSeenLongestAgo) {
  LeafRefusals refusals;
  for (size_t i = 0; i < LeafRefusals::kMost; ++i)
    refusals.Add("n" + std::to_string(i), LeafRefusal::kUnknownCa, static_cast<int64_t>(i));
  refusals.Add("n0", LeafRefusal::kUnknownCa, 5000);
  refusals.Add("new", LeafRefusal::kUnknownCa, 5001);
  EXPECT_EQ(refusals.names().size(), LeafRefusals::kMost);
  EXPECT_TRUE(refusals.names().contains("n0"));
  EXPECT_FALSE(refusals.names().contains("n1"));
}

TEST(LeafRefusals, OnlyAlertsAboutCertificatesAreRefusals) {
  EXPECT_EQ(NameOf(LeafRefusalOf(48)), "unknown_ca");
  EXPECT_EQ(NameOf(LeafRefusalOf(46)), "certificate_unknown");
  for (const int alert : {0, 10, 40, 70, 80, 90, 120}) EXPECT_EQ(LeafRefusalOf(alert), LeafRefusal::kCount) << alert;
}

}  // namespace
}  // namespace egret
