#include "source/control/identity.h"

#include <gtest/gtest.h>

namespace egret {
namespace {

TEST(Identity, IsTheEndOfASpiffeName) {
  EXPECT_TRUE(MayBe({"spiffe://example.org/web/p1"}, "p1", "web"));
  EXPECT_TRUE(MayBe({"x.example", "spiffe://example.org/ns/egress/web/p1"}, "p1", "web"));
  EXPECT_FALSE(MayBe({"spiffe://example.org/web/p1"}, "p2", "web"));
  EXPECT_FALSE(MayBe({"spiffe://example.org/web/p1"}, "p1", "eb"));
  EXPECT_FALSE(MayBe({"spiffe://example.org/web/p1"}, "web/p1", "example.org"));
  EXPECT_FALSE(MayBe({"spiffe://example.org/a/web/p1"}, "p1", "a/web"));
  EXPECT_FALSE(MayBe({"https://example.org/web/p1"}, "p1", "web"));
}

TEST(Identity, TheTrustDomainIsNoGroup) { EXPECT_FALSE(MayBe({"spiffe://web/p1"}, "p1", "web")); }

TEST(Identity, IsADnsNameOfNodeAndGroup) {
  EXPECT_TRUE(MayBe({"p1.web.egress.svc"}, "p1", "web.egress.svc"));
  EXPECT_TRUE(MayBe({"P1.Web"}, "p1", "web"));
  EXPECT_FALSE(MayBe({"p1.web"}, "p1", "other"));
  EXPECT_FALSE(MayBe({"a.b.web"}, "a.b", "web"));  // it is a of b.web
}

TEST(Identity, AWildcardIsWhateverProxyOfItsGroup) {
  EXPECT_TRUE(MayBe({"*.web"}, "p1", "web"));
  EXPECT_TRUE(MayBe({"*.Web"}, "p2", "web"));
  EXPECT_FALSE(MayBe({"*.web"}, "p1", "other"));
  EXPECT_FALSE(MayBe({"*.web"}, "p1", "sub.web"));
  EXPECT_FALSE(MayBe({"*.web"}, "p1.sub", "web"));  // the * is one label
  EXPECT_FALSE(MayBe({"p*.web"}, "p1", "web"));
  EXPECT_FALSE(MayBe({"*"}, "p1", "web"));
  EXPECT_FALSE(MayBe({"spiffe://example.org/web/*"}, "p1", "web"));
}

TEST(Identity, NobodyIsNobody) {
  EXPECT_FALSE(MayBe({}, "p1", "web"));
  EXPECT_FALSE(MayBe({".web"}, "", "web"));
  EXPECT_FALSE(MayBe({"p1."}, "p1", ""));
}

}  // namespace
}  // namespace egret
