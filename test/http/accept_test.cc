#include "source/http/accept.h"

#include <gtest/gtest.h>

#include <string>

namespace egret {
namespace {

TEST(AcceptTest, WhatClientsSend) {
  EXPECT_EQ(AcceptedForm("*/*"), TextForm::kPlain);  // curl, git
  EXPECT_EQ(AcceptedForm(""), TextForm::kPlain);
  EXPECT_EQ(AcceptedForm("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"),
            TextForm::kHtml);  // browsers
  EXPECT_EQ(AcceptedForm("application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*"),
            TextForm::kJson);                                                     // npm
  EXPECT_EQ(AcceptedForm("application/json, text/plain, */*"), TextForm::kJson);  // axios
  EXPECT_EQ(AcceptedForm("application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html; q=0.1, "
                         "text/html; q=0.01"),
            TextForm::kJson);                                                                        // pip
  EXPECT_EQ(AcceptedForm("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"), TextForm::kHtml);  // Java
}

TEST(AcceptTest, WeightFirstThenExactnessThenOrder) {
  EXPECT_EQ(AcceptedForm("application/json;q=0.5, text/html;q=0.6"), TextForm::kHtml);
  EXPECT_EQ(AcceptedForm("text/html, application/json"), TextForm::kHtml);
  EXPECT_EQ(AcceptedForm("application/json, text/html"), TextForm::kJson);
  EXPECT_EQ(AcceptedForm("text/*, application/json"), TextForm::kJson);
  EXPECT_EQ(AcceptedForm("*/*, TEXT/HTML ; Q=1.000"), TextForm::kHtml);
  EXPECT_EQ(AcceptedForm("text/*;q=0.4, text/plain;q=0, text/html;level=1"), TextForm::kHtml);
  EXPECT_EQ(AcceptedForm("text/plain;q=0, */*;q=0.1"), TextForm::kJson);  // the most exact range says it
}

TEST(AcceptTest, WhatNobodyShouldSend) {
  EXPECT_EQ(AcceptedForm("image/png"), TextForm::kPlain);
  EXPECT_EQ(AcceptedForm("text/html;q=0"), TextForm::kPlain);
  EXPECT_EQ(AcceptedForm("text/html;q=2, application/json;q=0.1"), TextForm::kJson);
  EXPECT_EQ(AcceptedForm("text/html;q=0.x, application/json;q=-1"), TextForm::kPlain);
  EXPECT_EQ(AcceptedForm(",,;;,=;q=,/,+json"), TextForm::kJson);
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "a/b,";
  EXPECT_EQ(AcceptedForm(many + "text/html"), TextForm::kPlain);
}

TEST(AcceptTest, OpenMetricsIsForThoseWhoNameItAndPreferIt) {
  EXPECT_TRUE(
      PrefersOpenMetrics("application/openmetrics-text;version=1.0.0,application/openmetrics-text;"
                         "version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"));  // Prometheus
  EXPECT_TRUE(PrefersOpenMetrics("Application/OpenMetrics-Text"));
  EXPECT_FALSE(PrefersOpenMetrics("text/plain;version=0.0.4;q=0.9, application/openmetrics-text;q=0.5"));
  EXPECT_FALSE(PrefersOpenMetrics("application/openmetrics-text;q=0"));
  for (const char* range : {"", "*/*", "application/*", "text/plain"}) EXPECT_FALSE(PrefersOpenMetrics(range)) << range;
}

TEST(AcceptTest, Gzip) {
  for (const char* takes : {"gzip", "deflate, GZip;q=0.1", "*", "br, *;q=0.5"}) EXPECT_TRUE(TakesGzip(takes)) << takes;
  for (const char* takes : {"", "identity", "gzip;q=0", "gzip;q=0, *", "br"}) EXPECT_FALSE(TakesGzip(takes)) << takes;
}

}  // namespace
}  // namespace egret
