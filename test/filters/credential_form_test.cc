#include "source/filters/credential_form.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "source/base/base64.h"

namespace egret {
namespace {

std::string Fill(std::string_view value) { return std::string(FillCredential(value, "egret-token", "s3cret").text()); }
std::string Basic(std::string_view pair) { return "Basic " + Base64(pair); }

TEST(CredentialForm, FillsTheWholeValueATokenOrThePasswordOfBasic) {
  EXPECT_EQ(Fill("egret-token"), "s3cret");
  EXPECT_EQ(Fill("Bearer egret-token"), "Bearer s3cret");
  EXPECT_EQ(Fill("bearer   egret-token"), "bearer s3cret");
  EXPECT_EQ(Fill("token egret-token"), "token s3cret");
  EXPECT_EQ(Fill(Basic("me:egret-token")), Basic("me:s3cret"));
  EXPECT_EQ(Fill("basic " + Base64(":egret-token")), Basic(":s3cret"));
}

TEST(CredentialForm, FillsNothingElse) {
  for (const std::string& value :
       {std::string("egret-token2"), std::string("Bearer egret-token, Bearer x"), std::string("Digest egret-token"),
        std::string("Bearer"), std::string(), Basic("egret-token:x"), Basic("egret-token"), Basic("a:b:egret-token"),
        "Basic " + Base64("m:egret-token").substr(0, 19), std::string("Basic egret-token")})
    EXPECT_EQ(Fill(value), "") << value;
}

TEST(CredentialForm, FillsOnlyInTheWaysThatTheFieldHas) {
  const auto fill = [](const std::string& value, const CredentialForms& forms) {
    return std::string(FillCredential(value, "egret-token", "s3cret", forms).text());
  };
  const CredentialForms alone = {.token = false, .basic = false}, token = {.alone = false, .basic = false},
                        basic = {.alone = false, .token = false, .basic_user = "__token__"};
  EXPECT_EQ(fill("egret-token", alone), "s3cret");
  EXPECT_EQ(fill("egret-token", token), "");
  EXPECT_EQ(fill("egret-token", basic), "");
  EXPECT_EQ(fill("Bearer egret-token", alone), "");
  EXPECT_EQ(fill("Bearer egret-token", token), "Bearer s3cret");
  EXPECT_EQ(fill("Bearer egret-token", basic), "");
  EXPECT_EQ(fill(Basic("me:egret-token"), alone), "");
  EXPECT_EQ(fill(Basic("me:egret-token"), token), "");
  EXPECT_EQ(fill(Basic("me:egret-token"), basic), Basic("__token__:s3cret"));
}

TEST(CredentialForm, ReadsBasicAsTheMostGenerousOriginWould) {
  EXPECT_EQ(InsideBasic(Basic("me:egret-token")), "me:egret-token");
  EXPECT_EQ(InsideBasic("BASIC\tbWU6ZWdyZXQtdG9rZW4"), "me:egret-token");       // no padding
  EXPECT_EQ(InsideBasic("Basic bWU6ZWdyZXQtdG9rZW4======"), "me:egret-token");  // too much of it
  EXPECT_EQ(InsideBasic("Basic bWU6 ZWdy\tZXQtdG9rZW4="), "me:egret-token");
  EXPECT_EQ(InsideBasic("Basic _-8"), "\xff\xef");
  EXPECT_EQ(InsideBasic("Basic /+8="), "\xff\xef");
  EXPECT_EQ(InsideBasic("Bearer bWU6ZWdyZXQtdG9rZW4="), "");
}

}  // namespace
}  // namespace egret
