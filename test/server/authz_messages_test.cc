#include "source/server/authz_messages.h"

#include <gtest/gtest.h>

#include <string>

namespace egret {
namespace {

using envoy::config::core::v3::HeaderValueOption;
using envoy::service::auth::v3::CheckRequest;
using envoy::service::auth::v3::CheckResponse;
using Verdict = AuthzAnswer::Verdict;

void Name(HeaderValueOption& option, const std::string& name, const std::string& value) {
  option.mutable_header()->set_key(name);
  option.mutable_header()->set_value(value);
}

std::string Shown(const std::vector<AuthzField>& fields) {
  static constexpr std::string_view kHow[] = {"set", "append", "if absent", "if present", "remove"};
  std::string out;
  for (const AuthzField& field : fields)
    out.append(kHow[static_cast<size_t>(field.how)]).append(" " + field.name + "=" + field.value + "; ");
  return out;
}

TEST(AuthzMessages, TellWhatIsKnownOfARequest) {
  const AuthzExtension tier{"tier", "gold"};
  AuthzQuestion question;
  question.id = "id-1";
  question.started_unix_us = 1'500'000;
  question.source = {IpAddress::V4(0x7f000001), 4711};
  question.principal = "alice";
  question.destination = "origin.test";
  question.destination_port = 443;
  question.fields = {{"X-Team", "a"}, {"x-team", "b"}, {"X-Byte", "\xff!"}};
  question.extensions = {&tier, 1};
  CheckRequest request;
  Put(question, request);
  const auto& told = request.attributes();
  EXPECT_EQ(told.source().address().socket_address().address(), "127.0.0.1");
  EXPECT_EQ(told.source().address().socket_address().port_value(), 4711U);
  EXPECT_EQ(told.source().principal(), "alice");
  EXPECT_EQ(told.destination().address().socket_address().address(), "origin.test");
  EXPECT_EQ(told.request().time().seconds(), 1);
  EXPECT_EQ(told.request().time().nanos(), 500'000'000);
  EXPECT_EQ(told.request().http().headers().at("x-team"), "a, b");
  EXPECT_EQ(told.request().http().headers().at("x-byte"), "?!");
  EXPECT_EQ(told.request().http().size(), -1);
  EXPECT_EQ(told.context_extensions().at("tier"), "gold");
}

TEST(AuthzMessages, AnEmptyAnswerAllows) {
  const AuthzAnswer answer = AnswerOf(CheckResponse());
  EXPECT_EQ(answer.verdict, Verdict::kAllowed);
  EXPECT_TRUE(answer.request.empty() && answer.response.empty());
}

TEST(AuthzMessages, TheStatusDecidesWhateverElseIsSaid) {
  CheckResponse response;
  response.mutable_status()->set_code(16);
  Name(*response.mutable_ok_response()->add_headers(), "x-user", "u");
  const AuthzAnswer denied = AnswerOf(response);
  EXPECT_EQ(denied.verdict, Verdict::kDenied);
  EXPECT_EQ(denied.status, 403);
  EXPECT_TRUE(denied.request.empty());
}

TEST(AuthzMessages, ADenialHasAStatusFieldsAndABody) {
  CheckResponse response;
  response.mutable_status()->set_code(7);
  auto& denied = *response.mutable_denied_response();
  denied.mutable_status()->set_code(429);
  denied.set_body("later");
  Name(*denied.add_headers(), "retry-after", "9");
  const AuthzAnswer answer = AnswerOf(response);
  EXPECT_EQ(answer.status, 429);
  EXPECT_EQ(answer.body, "later");
  EXPECT_EQ(Shown(answer.response), "set retry-after=9; ");
}

TEST(AuthzMessages, FieldsAreChangedByAppendOrElseByTheAction) {
  CheckResponse response;
  auto& ok = *response.mutable_ok_response();
  Name(*ok.add_headers(), "plain", "1");
  Name(*ok.add_headers(), "more", "1");
  ok.mutable_headers(1)->mutable_append()->set_value(true);
  Name(*ok.add_headers(), "absent", "1");
  ok.mutable_headers(2)->set_append_action(HeaderValueOption::ADD_IF_ABSENT);
  ok.add_headers()->set_append_action(HeaderValueOption::OVERWRITE_IF_EXISTS);
  ok.mutable_headers(3)->mutable_header()->set_key("present");
  ok.mutable_headers(3)->mutable_header()->set_raw_value("\xff");
  ok.add_headers_to_remove("gone");
  Name(*ok.add_response_headers_to_add(), "added", "1");
  Name(*ok.add_response_headers_to_add(), "over", "1");
  ok.mutable_response_headers_to_add(1)->mutable_append()->set_value(false);
  const AuthzAnswer answer = AnswerOf(response);
  EXPECT_EQ(Shown(answer.request),
            "set plain=1; append more=1; if absent absent=1; if present present=\xff; remove gone=; ");
  EXPECT_EQ(Shown(answer.response), "append added=1; set over=1; ");
}

}  // namespace
}  // namespace egret
