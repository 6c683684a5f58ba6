#include "source/chain/reply_text.h"

#include <gtest/gtest.h>

namespace egret {
namespace {

ReplyText Denial() {
  ReplyText reply;
  reply.status = 403;
  reply.phrase = "Forbidden";
  reply.refused = true;
  reply.sentence = "The policy does not allow this.";
  reply.message = "Ask <security> & \"friends\".";
  reply.decided_by = "Decided by rule r of policy p.";
  reply.detail = "policy_denied";
  reply.policy = "p";
  reply.rule = "r";
  reply.request_id = "5889a453573e3e91";
  return reply;
}

TEST(ReplyTextTest, PlainTextIsAFewLines) {
  const RenderedReply reply = Render(Denial(), TextForm::kPlain);
  EXPECT_EQ(reply.content_type, "text/plain; charset=utf-8");
  EXPECT_EQ(reply.text,
            "Egret refused this request: The policy does not allow this.\n"
            "Ask <security> & \"friends\".\n"
            "Decided by rule r of policy p.\n"
            "Request id 5889a453573e3e91.\n");
}

TEST(ReplyTextTest, JsonIsAProblem) {
  const RenderedReply reply = Render(Denial(), TextForm::kJson);
  EXPECT_EQ(reply.content_type, "application/problem+json");
  const std::string detail =
      "Egret refused this request: The policy does not allow this. Ask <security> & \\\"friends\\\". Decided by rule r "
      "of policy p.";
  EXPECT_EQ(reply.text, "{\"type\":\"about:blank\",\"title\":\"Forbidden\",\"status\":403,\"detail\":\"" + detail +
                            "\",\"error\":\"" + detail +
                            "\",\"code\":\"policy_denied\",\"policy\":\"p\",\"rule\":\"r\",\"message\":\"Ask "
                            "<security> & \\\"friends\\\".\",\"request_id\":\"5889a453573e3e91\"}\n");
}

TEST(ReplyTextTest, APageEscapesWhatItTells) {
  const RenderedReply reply = Render(Denial(), TextForm::kHtml);
  EXPECT_EQ(reply.content_type, "text/html; charset=utf-8");
  EXPECT_NE(reply.text.find("<title>403 Forbidden</title>"), std::string::npos);
  EXPECT_NE(reply.text.find("<p>Ask &lt;security&gt; &amp; &quot;friends&quot;.</p>"), std::string::npos);
  EXPECT_NE(reply.text.find("Request id 5889a453573e3e91</p>"), std::string::npos);
  EXPECT_EQ(reply.text.find("<security>"), std::string::npos);
}

}  // namespace
}  // namespace egret
