#include "source/chain/local_reply.h"

#include <algorithm>
#include <string>
#include <utility>

#include "source/base/log.h"
#include "source/base/strings.h"
#include "source/chain/reply_text.h"
#include "source/http/accept.h"
#include "source/http/hop.h"

namespace egret {
namespace {

// The text of a decision's verdict as log, metric and reply say it.
std::string_view ActionOf(const Decision& decision) {
  switch (decision.verdict) {
    case Decision::Verdict::kDeny:
      return "deny";
    case Decision::Verdict::kChallenge:
      return "challenge";
    case Decision::Verdict::kContinue:
      return "continue";
    case Decision::Verdict::kForward:
    case Decision::Verdict::kRelay:
      return "allow";
    case Decision::Verdict::kInspect:
      return "inspect";
  }
  return "";
}

std::string_view ReasonPhrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 403:
      return "Forbidden";
    case 405:
      return "Method Not Allowed";
    case 407:
      return "Proxy Authentication Required";
    case 408:
      return "Request Timeout";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 421:
      return "Misdirected Request";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "";
  }
}

// A token as it stands in a quoted string (RFC 8941 3.3.3): our own words and rule names need no escape; whatever else
// got in is left out.
void AppendQuoted(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text)
    if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') out += c;
  out += '"';
}

// An HTTP token, so that the pseudonym can stand alone in the list (RFC 9209 2).
std::string ProxyStatus(const Exchange& exchange, const FaultText& text, std::string_view details) {
  std::string out(exchange.via.empty() ? std::string_view("egret") : exchange.via);
  if (!text.proxy_error.empty()) Append(out, "; error=", text.proxy_error);
  if (text.fault == Fault::kDnsNotFound) out += "; rcode=\"NXDOMAIN\"";
  out += "; details=";
  AppendQuoted(out, details);
  return out;
}

std::string WhoDecided(const Decision& decision, bool why) {
  std::string out;
  if (decision.rule == "otherwise") {
    out = Cat("No rule of policy ", decision.policy, " allows it");
  } else if (decision.policy.empty()) {  // a guard, which no policy outranks
    out = Cat("Decided by ", decision.rule);
  } else {
    out = Cat("Decided by rule ", decision.rule, " of policy ", decision.policy);
  }
  if (why) Append(out, " (stage ", NameOf(decision.stage), ", reason ", decision.reason, ')');
  out += '.';
  return out;
}

// `details`: for Proxy-Status.
Response Told(Exchange& exchange, const FaultText& text, std::string_view details, ReplyText reply) {
  const std::string& request_id = exchange.record().request_id;
  reply.status = text.status != 0 ? text.status : 502;
  reply.phrase = ReasonPhrase(reply.status);
  reply.sentence = text.sentence;
  reply.detail = text.detail;
  reply.request_id = request_id;
  const Field* accept = exchange.request.head.Find("Accept");
  const TextForm form = accept == nullptr ? TextForm::kPlain : AcceptedForm(accept->value);
  const RenderedReply rendered = Render(reply, form);
  Response response = PlainReply(reply.status, rendered.text, rendered.content_type);
  response.head.Add(FieldName::kProxyStatus,
                    Cat(ProxyStatus(exchange, text, details), "; request-id=\"", request_id, '"'));
  if (reply.status == 407)
    for (const std::string& challenge : exchange.challenges)
      response.head.Add(FieldName::kProxyAuthenticate, challenge);
  if (reply.status == 405) response.head.Add("Allow", "GET, HEAD, POST, PUT, DELETE, OPTIONS, CONNECT");
  response.head.Add("Cache-Control", "no-store");
  if (form == TextForm::kHtml) {  // it stands under the origin's name, inside a tunnel
    response.head.Add("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'");
    response.head.Add("X-Content-Type-Options", "nosniff");
  }
  return response;
}

}  // namespace

Response PlainReply(int status, std::string_view text, std::string_view content_type) {
  Response response;
  response.head.status = status;
  response.head.reason = ReasonPhrase(status);
  response.head.Add("Content-Type", content_type);
  response.body = MakeBody(std::string(text));
  EnsureDate(response.head);
  return response;
}

Response LocalReply(Exchange& exchange, Failure why) {
  exchange.record().Fail(why);
  const FaultText& text = TextOf(why.fault);
  if (text.status == 0) exchange.End(why);  // nobody hears this reply: it is never sent
  ReplyText reply;
  if (const std::string& tls = exchange.record().tls_detail; !tls.empty()) reply.message = Cat("TLS says: ", tls, '.');
  return Told(exchange, text, text.detail, std::move(reply));
}

Response DenialReply(Exchange& exchange, const Decision& decision) {
  RecordDecision(exchange.worker(), exchange.record(), decision);
  const Fault fault = decision.fault == Fault::kNone ? Fault::kPolicyDenied : decision.fault;
  exchange.record().Fail({Side::kEgret, fault});
  const bool told = exchange.denial_detail != DenialDetail::kNone;
  const bool why = exchange.denial_detail == DenialDetail::kFull;
  // What a guard found out about a name's addresses is not for everybody.
  const FaultText& text = TextOf(!told && TextOf(fault).status == 403 ? Fault::kPolicyDenied : fault);
  std::string details(text.detail);
  ReplyText reply;
  reply.refused = true;
  if (told) reply.message = decision.message;
  if (told && !decision.rule.empty()) {
    reply.decided_by = WhoDecided(decision, why);
    reply.policy = decision.policy;
    reply.rule = decision.rule;
    Append(details, " policy=", decision.policy, " rule=", decision.rule);
  }
  if (why && !decision.rule.empty()) {
    reply.stage = NameOf(decision.stage);
    reply.reason = decision.reason;
    Append(details, " reason=", decision.reason);
  }
  return Told(exchange, text, details, std::move(reply));
}

Response FilterReply(Exchange& exchange, Fault fault, std::string_view filter, std::string_view message) {
  Decision decision;
  decision.stage = exchange.connection().binding ? Stage::kRequest : Stage::kTarget;
  decision.fault = fault;
  decision.rule = filter;
  decision.message = message;
  decision.reason = TextOf(fault).detail;
  return DenialReply(exchange, decision);
}

void RecordDecision(Worker& worker, ExchangeRecord& record, const Decision& decision) {
  DecisionRecord& told = record.decision;
  told.verdict = decision.verdict;
  told.action = ActionOf(decision);
  told.stage = NameOf(decision.stage);
  told.policy = decision.policy;
  told.rule = decision.rule;
  told.reason = decision.reason;
  if (decision.audit != Decision::Audit::kNone)
    told.audit = Cat(NameOf(decision.audit), ' ', decision.audit_policy, '/', decision.audit_rule);
  Log(LogComponent::kPolicy, LogLevel::kDebug, record.request_id, ' ', told.stage, ": ", told.action, " by ",
      told.policy, '/', told.rule, ", ", told.reason);
  if (decision.verdict == Decision::Verdict::kContinue) return;
  worker.decisions().Add({told.policy, told.rule, told.action, told.stage});
  if (decision.audit != Decision::Audit::kNone)
    worker.audits().Add({decision.audit_policy, decision.audit_rule, NameOf(decision.audit), told.stage});
  worker.TellDecision(record);
}

}  // namespace egret
