#include "source/chain/local_reply.h"

#include <algorithm>
#include <string>
#include <utility>

#include "source/base/log.h"
#include "source/base/strings.h"
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

void AppendWhoDecided(std::string& body, const Decision& decision, bool why) {
  if (decision.rule == "otherwise") {
    Append(body, "No rule of policy ", decision.policy, " allows it");
  } else if (decision.policy.empty()) {  // a guard, which no policy outranks
    Append(body, "Decided by ", decision.rule);
  } else {
    Append(body, "Decided by rule ", decision.rule, " of policy ", decision.policy);
  }
  if (why) Append(body, " (stage ", NameOf(decision.stage), ", reason ", decision.reason, ')');
  body += ".\n";
}

Response TextReply(Exchange& exchange, const FaultText& text, std::string_view details, std::string body) {
  const int status = text.status != 0 ? text.status : 502;
  ExchangeRecord& record = exchange.record();
  Append(body, "Request id ", record.request_id, ".\n");
  Response response = PlainReply(status, body);
  response.head.Add(FieldName::kProxyStatus,
                    Cat(ProxyStatus(exchange, text, details), "; request-id=\"", record.request_id, '"'));
  if (status == 405) response.head.Add("Allow", "GET, HEAD, POST, PUT, DELETE, OPTIONS, CONNECT");
  response.head.Add("Cache-Control", "no-store");
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
  std::string body = Cat("Egret: ", text.sentence, '\n');
  if (const std::string& tls = exchange.record().tls_detail; !tls.empty()) Append(body, "TLS says: ", tls, ".\n");
  return TextReply(exchange, text, text.detail, std::move(body));
}

Response DenialReply(Exchange& exchange, const Decision& decision) {
  RecordDecision(exchange.worker(), exchange.record(), decision);
  const Fault fault = decision.fault == Fault::kNone ? Fault::kPolicyDenied : decision.fault;
  exchange.record().Fail({Side::kEgret, fault});
  const bool told = exchange.denial_detail != DenialDetail::kNone;
  const bool why = exchange.denial_detail == DenialDetail::kFull;
  // What a guard found out about a name's addresses is not for everybody.
  const FaultText& text = TextOf(!told && TextOf(fault).status == 403 ? Fault::kPolicyDenied : fault);
  std::string body = Cat("Egret refused this request: ", text.sentence, '\n');
  std::string details(text.detail);
  if (told && !decision.message.empty()) Append(body, decision.message, '\n');
  if (told && !decision.rule.empty()) {
    AppendWhoDecided(body, decision, why);
    Append(details, " policy=", decision.policy, " rule=", decision.rule);
    if (why) Append(details, " reason=", decision.reason);
  }
  return TextReply(exchange, text, details, std::move(body));
}

void RecordDecision(Worker& worker, ExchangeRecord& record, const Decision& decision) {
  DecisionRecord& told = record.decision;
  told.action = ActionOf(decision);
  told.stage = NameOf(decision.stage);
  told.policy = decision.policy;
  told.rule = decision.rule;
  told.reason = decision.reason;
  if (decision.audit != Decision::Audit::kNone)
    told.audit = Cat(NameOf(decision.audit), ' ', decision.audit_policy, '/', decision.audit_rule);
  Log(LogComponent::kPolicy, LogLevel::kDebug, record.request_id, ' ', told.stage, ": ", told.action, " by ",
      told.policy, '/', told.rule, ", ", told.reason);
  if (decision.verdict != Decision::Verdict::kContinue)
    worker.decisions().Add({told.policy, told.rule, told.action, told.stage});
}

}  // namespace egret
