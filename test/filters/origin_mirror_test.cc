// What a client's offer becomes on its way to the origin, and the origin's choice on its way back (row M08).
#include "source/filters/origin_mirror.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace egret {
namespace {

using Names = std::vector<std::string>;

const Names kNothing = {}, kHttp1 = {"http/1.1"}, kHttp2 = {"h2"}, kBoth = {"h2", "http/1.1"};

TEST(OriginMirror, TheOriginIsOfferedWhatTheClientOffersAndTheChainCanMakeOfIt) {
  const OriginHttp2 any = OriginHttp2::kAuto;
  EXPECT_EQ(OfferToOrigin(kNothing, any), kNothing);
  EXPECT_EQ(OfferToOrigin(kHttp1, any), kHttp1);
  EXPECT_EQ(OfferToOrigin(kHttp2, any), kHttp2);
  EXPECT_EQ(OfferToOrigin({"imap", "http/1.1", "http/1.0", "h2"}, any), kBoth);
  EXPECT_EQ(OfferToOrigin(kBoth, OriginHttp2::kNever), kHttp1);
  EXPECT_EQ(OfferToOrigin(kHttp2, OriginHttp2::kNever), kHttp1);
  EXPECT_EQ(OfferToOrigin(kNothing, OriginHttp2::kNever), kNothing);
  EXPECT_EQ(OfferToOrigin(kHttp1, OriginHttp2::kAlways), kHttp2);
}

TEST(OriginMirror, TheClientIsAnsweredWhatItsOriginChose) {
  EXPECT_EQ(AnswerToClient(kBoth, kBoth, "h2"), kHttp2);
  EXPECT_EQ(AnswerToClient(kBoth, kBoth, "http/1.1"), kHttp1);
  EXPECT_EQ(AnswerToClient(kBoth, kBoth, ""), kHttp1);
  EXPECT_EQ(AnswerToClient(kNothing, kBoth, "http/1.1"), kNothing);
  EXPECT_EQ(AnswerToClient(kHttp1, kBoth, "h2"), kHttp1);
  EXPECT_EQ(AnswerToClient(kHttp2, kBoth, "http/1.1"), kHttp2);
  EXPECT_EQ(AnswerToClient(kBoth, kHttp1, "h2"), kHttp1);
  EXPECT_EQ(AnswerToClient(kHttp2, kHttp1, "h2"), kNothing);
}

}  // namespace
}  // namespace egret
