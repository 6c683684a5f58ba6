// Paths that origins read in more than one way.
#include "source/policy/path.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace egret {
namespace {

TEST(Path, P02_AmbiguousPathsAreFound) {
  for (const std::string path : {"/a/../b",     "/a/./b",      "/..",
                                 "/.",          "/a/..",       "/a/.",
                                 "/a/%2e%2e/b", "/a/%2E./b",   "/a/.%2e",
                                 "//a",         "/a//b",       "/a/b//",
                                 "/a%2fb",      "/a%2Fb",      "/a\\b",
                                 "/a%5cb",      "/a%00",       "/a%00.html",
                                 "/a%0ab",      "/a%7f",       "/a%",
                                 "/a%2",        "/a%zz",       "/a%u002e",
                                 "/a/..;/b",    "/a/..;x=1/b", "/a/;x/b",
                                 "/a/;x",       "/a/..%3b/b",  "/%252e%252e/b",
                                 "/a%252fb",    "/a%255c",     "/a/%c0%ae%c0%ae/b",
                                 "/a%c0%af",    "/a%e0%80%af", "/a%f0%80%80%af",
                                 "/a\xc0\xaf",  "a",           "",
                                 "*a",          "/a b",        "/a?b",
                                 "/a#b",        "/a\x01"})
    EXPECT_TRUE(IsAmbiguous(path)) << path;
}

TEST(Path, OrdinaryPathsAreNot) {
  for (const std::string path : {"/",
                                 "/a",
                                 "/a/",
                                 "/a/b",
                                 "*",
                                 "/a.b",
                                 "/.well-known/x",
                                 "/..a",
                                 "/a..",
                                 "/...",
                                 "/a%20b",
                                 "/100%25",
                                 "/100%25x",
                                 "/a;b=c",
                                 "/a;b/c",
                                 "/%E2%82%AC",
                                 "/\xe2\x82\xac",
                                 "/a%41",
                                 "/a+b",
                                 "/a,b",
                                 "/a:b@c",
                                 "/@scope%40x/-/y.tgz",
                                 "/~user",
                                 "/%7Euser"})
    EXPECT_FALSE(IsAmbiguous(path)) << path;
}

bool Reads(std::string_view path, std::string_view as) {
  const auto all = OtherReadings(path);
  return path == as || std::find(all.begin(), all.end(), as) != all.end();
}

TEST(Path, P02_EveryReadingThatReachesAdminIsSeen) {
  for (const std::string path :
       {"/admin",          "/x/../admin",    "/./admin",       "//admin",         "/x//../admin",
        "/x/../../admin",  "/%61dmin",       "/%2561dmin",     "/%252561dmin",    "/x/%2e%2e/admin",
        "/x%2f..%2fadmin", "\\admin",        "/x\\..\\admin",  "/x%5c..%5cadmin", "/admin;x=1",
        "/x/..;/admin",    "/x/..%3b/admin", "/admin%00.html", "/%c0%afadmin",    "/x/%c0%ae%c0%ae/admin",
        "/%e0%81%a1dmin",  "/%c1%a1dmin"})
    EXPECT_TRUE(Reads(path, "/admin")) << path << " -> " << testing::PrintToString(OtherReadings(path));
}

TEST(Path, DotSegmentsResolveAsInRfc3986) {
  EXPECT_TRUE(Reads("/a/b/c/./../../g", "/a/g"));
  EXPECT_TRUE(Reads("/a/..", "/"));
  EXPECT_TRUE(Reads("/a/b/..", "/a/"));
  EXPECT_TRUE(Reads("/a/.", "/a/"));
  EXPECT_TRUE(Reads("/../../x", "/x"));
  EXPECT_TRUE(Reads("/a//../b", "/a/b")) << "resolved first";
  EXPECT_TRUE(Reads("/a//../b", "/b")) << "merged first";
}

TEST(Path, PlainPathsHaveNoOtherReading) {
  EXPECT_TRUE(OtherReadings("/a/b.c").empty());
  EXPECT_TRUE(OtherReadings("*").empty());
}

TEST(Path, DecodingIsBounded) {
  std::string deep = "/";
  for (int i = 0; i < 20000; ++i) deep += "%25";
  EXPECT_TRUE(IsAmbiguous(deep + "2541"));
  EXPECT_LE(OtherReadings(deep).size(), 8u);
}

TEST(Path, NeedlessEscapesAreThoseOfUnreservedCharacters) {
  EXPECT_EQ(WithoutNeedlessEscapes("/%61%2e%2F%20%7e%"), "/a.%2F%20~%");
}

}  // namespace
}  // namespace egret
