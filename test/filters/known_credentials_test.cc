#include "source/filters/known_credentials.h"

#include <gtest/gtest.h>

namespace egret {
namespace {

TEST(KnownCredentials, KnowsTheUsualFieldsAndThoseThatAreNamed) {
  const KnownCredentials usual, more({"X-Our-Token"});
  for (const char* name : {"Authorization", "cookie", "X-API-Key", "Private-Token", "x-amz-security-token"})
    EXPECT_TRUE(usual.IsField(name) && more.IsField(name)) << name;
  EXPECT_FALSE(usual.IsField("X-Our-Token"));
  EXPECT_TRUE(more.IsField("x-our-token"));
  EXPECT_FALSE(more.IsField("Accept"));
}

TEST(KnownCredentials, TakesThemOutOfAQueryAndLeavesTheRestAsItIs) {
  const KnownCredentials usual, more({}, {"our key"});
  const auto strip = [&](std::string_view target) {
    const std::string left = usual.WithoutThem(target);
    EXPECT_EQ(usual.AreInQuery(target), left != target) << target;
    return left;
  };
  for (const char* clean : {"/a", "/a?b=c&d", "/access_token=x", "/a?b=access_token", "/a?x_access_token=1"})
    EXPECT_EQ(strip(clean), clean);
  EXPECT_EQ(strip("/a?access_token=x"), "/a");
  EXPECT_EQ(strip("/a?b=%63&Access_Token=x&c=d?e"), "/a?b=%63&c=d?e");
  EXPECT_EQ(strip("/a?%61pi%5Fkey=x&b"), "/a?b");
  EXPECT_EQ(strip("/a?b=c;private_token=x&d=e"), "/a?d=e");
  EXPECT_EQ(strip("/a?X-Amz-Credential=k&X-Amz-Signature=s&b"), "/a?b");
  EXPECT_EQ(strip("/a?api_key"), "/a");
  EXPECT_FALSE(usual.AreInQuery("/a?our%20key=x"));
  EXPECT_EQ(more.WithoutThem("/a?our%20key=x&b=c"), "/a?b=c");
}

}  // namespace
}  // namespace egret
