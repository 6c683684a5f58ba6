#include "source/chain/reply_text.h"

#include "source/base/json.h"
#include "source/base/strings.h"

namespace egret {
namespace {

constexpr std::string_view kHead =
    "<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n"
    "<style>body{font:16px/1.5 sans-serif;max-width:40em;margin:4em auto;padding:0 1em;color:#222}"
    "h1{font-size:1.3em}p.id{color:#666;font-size:.85em}</style>\n";

std::string Lead(const ReplyText& reply) {
  return Cat(reply.refused ? "Egret refused this request: " : "Egret: ", reply.sentence);
}

std::string Plain(const ReplyText& reply) {
  std::string out = Cat(Lead(reply), '\n');
  for (const std::string* line : {&reply.message, &reply.decided_by})
    if (!line->empty()) Append(out, *line, '\n');
  Append(out, "Request id ", reply.request_id, ".\n");
  return out;
}

// RFC 9457. `error`, beside its own members: what npm and many others show.
std::string Json(const ReplyText& reply) {
  std::string out;
  JsonWriter json(out);
  json.BeginObject();
  json.Member("type", "about:blank");
  json.Member("title", reply.phrase);
  json.Member("status", reply.status);
  std::string detail = Lead(reply);
  for (const std::string* line : {&reply.message, &reply.decided_by})
    if (!line->empty()) Append(detail, ' ', *line);
  json.Member("detail", detail);
  json.Member("error", detail);
  json.Member("code", reply.detail);
  json.MemberIf("policy", reply.policy);
  json.MemberIf("rule", reply.rule);
  json.MemberIf("stage", reply.stage);
  json.MemberIf("reason", reply.reason);
  json.MemberIf("message", reply.message);
  json.Member("request_id", reply.request_id);
  json.EndObject();
  out += '\n';
  return out;
}

void AppendEscaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
}

void AppendParagraph(std::string& out, std::string_view text) {
  if (text.empty()) return;
  out += "<p>";
  AppendEscaped(out, text);
  out += "</p>\n";
}

std::string Page(const ReplyText& reply) {
  const std::string title = Cat(reply.status, ' ', reply.phrase);
  std::string out =
      Cat("<!doctype html>\n<html lang=\"en\">\n", kHead, "<title>", title, "</title>\n<h1>", title, "</h1>\n");
  AppendParagraph(out, Lead(reply));
  AppendParagraph(out, reply.message);
  AppendParagraph(out, reply.decided_by);
  Append(out, "<p class=\"id\">Request id ", reply.request_id, "</p>\n</html>\n");
  return out;
}

}  // namespace

RenderedReply Render(const ReplyText& reply, TextForm form) {
  switch (form) {
    case TextForm::kPlain:
      break;
    case TextForm::kJson:
      return {Json(reply), "application/problem+json"};
    case TextForm::kHtml:
      return {Page(reply), "text/html; charset=utf-8"};
  }
  return {Plain(reply), "text/plain; charset=utf-8"};
}

}  // namespace egret
