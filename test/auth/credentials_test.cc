#include "source/auth/credentials.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "source/base/base64.h"
#include "source/base/strings.h"

namespace egret {
namespace {

using Scheme = Credentials::Scheme;

Scheme SchemeOf(std::string_view field) { return Credentials::Parse(field).scheme(); }

TEST(Credentials, BasicHoldsAUserAndAPassword) {
  for (const std::string_view scheme : {"Basic ", "basic ", "BASIC   ", "  Basic "}) {
    const Credentials found = Credentials::Parse(Cat(scheme, Base64("alice:correct horse"), ' '));
    ASSERT_EQ(found.scheme(), Scheme::kBasic) << scheme;
    EXPECT_EQ(found.user(), "alice");
    EXPECT_EQ(found.password(), "correct horse");
  }
  const Credentials colons = Credentials::Parse(Cat("Basic ", Base64("bob:a:b:")));
  EXPECT_EQ(colons.user(), "bob");
  EXPECT_EQ(colons.password(), "a:b:");
  const Credentials empty = Credentials::Parse(Cat("Basic ", Base64(":")));
  ASSERT_EQ(empty.scheme(), Scheme::kBasic);
  EXPECT_EQ(empty.user(), "");
  EXPECT_EQ(empty.password(), "");
  EXPECT_EQ(Credentials::Parse(Cat("Basic ", Base64("p\xc3\xa4:\xff"))).password(), "\xff");
}

TEST(Credentials, BearerHoldsAToken) {
  const Credentials found = Credentials::Parse("Bearer abc.DEF-_~+/=");
  ASSERT_EQ(found.scheme(), Scheme::kBearer);
  EXPECT_EQ(found.token(), "abc.DEF-_~+/=");
}

TEST(Credentials, P10_WhatIsMalformedIsNothingThatCouldBeKnown) {
  const std::string nul_in_name = Base64(std::string("a\0:b", 4)), nul_in_password = Base64(std::string("a:b\0", 4));
  for (const std::string& value :
       {std::string("Basic"), std::string("Basic "), std::string("Basic ="), std::string("Basic !"),
        std::string("Basic YTpi="), std::string("Basic YTo"), std::string("Basic YTpi YTpi"),
        std::string("Basic YTpi, Basic YTpi"), Cat("Basic ", Base64("no colon")), Cat("Basic ", nul_in_name),
        Cat("Basic ", nul_in_password), Cat("Basic ", Base64("a:b\n")), Cat("Basic ", Base64("a\x7f:b")),
        std::string("Bearer"), std::string("Bearer a b"), std::string("Bearer \""),
        Cat("Bearer ", std::string(20000, 'a')), Cat("Basic ", std::string(65536, 'A'))})
    EXPECT_EQ(SchemeOf(value), Scheme::kMalformed) << value.substr(0, 80);
  for (const std::string_view value : {"", " ", "Basic\tYTpi", "BasicYTpi", "Digest username=\"a\"", "NTLM TlRM", "x"})
    EXPECT_EQ(SchemeOf(value), Scheme::kOther) << value;
}

// Whatever is parsed gives back what it was made of, and whatever bytes come do no harm.
TEST(Credentials, AnyBytesAreParsedOrRefused) {
  std::mt19937 random(7);
  const auto text = [&](size_t most) {
    std::string out(random() % most, '\0');
    for (char& c : out) c = static_cast<char>(random());
    return out;
  };
  for (int i = 0; i < 20000; ++i) {
    const std::string pair = text(40);
    const Credentials found = Credentials::Parse(Cat("Basic ", Base64(pair)));
    if (found.scheme() == Scheme::kBasic) {
      EXPECT_EQ(Cat(found.user(), ':', found.password()), pair);
    }
    Credentials::Parse(Cat("Basic ", text(40)));
    Credentials::Parse(text(60));
  }
}

TEST(Base64, WhatAnEncoderDidNotWriteIsNotDecoded) {
  EXPECT_EQ(FromBase64(""), "");
  EXPECT_EQ(FromBase64("YQ=="), "a");
  EXPECT_EQ(FromBase64("YWI="), "ab");
  EXPECT_EQ(FromBase64("YWJj"), "abc");
  EXPECT_EQ(FromBase64("+/+/"), "\xfb\xff\xbf");
  for (const std::string_view text : {"YQ", "YQ=", "YR==", "YQ===", "Y===", "====", "=", "YW=i", "Y Q=", "-_-_"})
    EXPECT_EQ(FromBase64(text), std::nullopt) << text;
  EXPECT_EQ(FromBase64Url("YQ"), "a");
  EXPECT_EQ(FromBase64Url("-_-_"), "\xfb\xff\xbf");
  for (const std::string_view text : {"YQ==", "YR", "Y", "+/+/"}) EXPECT_EQ(FromBase64Url(text), std::nullopt) << text;
}

}  // namespace
}  // namespace egret
