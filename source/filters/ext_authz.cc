#include "source/filters/ext_authz.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

#include "source/base/log.h"
#include "source/base/strings.h"
#include "source/chain/connection.h"
#include "source/chain/exchange.h"
#include "source/chain/local_reply.h"
#include "source/http/credential_field.h"
#include "source/http/field_name.h"
#include "source/http/field_value.h"

namespace egret {
namespace {

using How = AuthzField::How;
using Verdict = AuthzAnswer::Verdict;

constexpr size_t kMostFields = 100;
constexpr size_t kMostBody = 65536;

// Without a value that could end the field or the head, and of a field that is anybody's to change.
bool IsSound(const AuthzField& field) {
  return IsToken(field.name) && IsFieldValue(field.value) && TrimOws(field.value) == field.value &&
         !IsForProxy(field.name);
}

bool AreSound(const std::vector<AuthzField>& fields) {
  return fields.size() <= kMostFields && std::all_of(fields.begin(), fields.end(), IsSound);
}

// A 2xx would look as if it had been allowed, to CONNECT above all; 407 asks for credentials that nobody here takes.
bool IsRefusal(int status) { return status >= 300 && status < 600 && status != 407; }

// Whether there is one, and it can be carried out.
bool IsSound(const AuthzAnswer& answer) {
  if (answer.verdict == Verdict::kNone || answer.verdict == Verdict::kUnreadable) return false;
  if (!AreSound(answer.request) || !AreSound(answer.response)) return false;
  return answer.verdict != Verdict::kDenied || (IsRefusal(answer.status) && answer.body.size() <= kMostBody);
}

void Apply(const std::vector<AuthzField>& fields, Head& head) {
  for (const AuthzField& field : fields) {
    const bool present = head.Find(std::string_view(field.name)) != nullptr;
    if (field.how == How::kRemove) head.Remove(std::string_view(field.name));
    if (field.how == How::kSet || (field.how == How::kSetIfPresent && present))
      head.Set(std::string_view(field.name), field.value);
    if (field.how == How::kAppend || (field.how == How::kAddIfAbsent && !present))
      head.Add(std::string_view(field.name), field.value);
  }
}

int64_t SizeOf(const Head& head) {
  const Field* const length = head.Find(FieldName::kContentLength);
  int64_t size = -1;
  if (length == nullptr) return -1;
  const auto [end, error] = std::from_chars(length->value.data(), length->value.data() + length->value.size(), size);
  return error == std::errc() ? size : -1;
}

Response Refuse(Exchange& exchange, Fault fault) { return FilterReply(exchange, fault, "ext_authz"); }

void Count(Exchange& exchange, AuthzResult result) {
  exchange.worker().counters().ext_authz[static_cast<size_t>(result)].Add();
}

Response Deny(Exchange& exchange, AuthzAnswer answer) {
  Response response = Refuse(exchange, Fault::kExtAuthzDenied);
  if (answer.status != response.head.status) {
    response.head.status = answer.status;
    response.head.reason = "";
  }
  if (!answer.body.empty()) {
    response.head.Set("Content-Type", "text/plain; charset=utf-8");
    response.body = MakeBody(std::move(answer.body));
  }
  Apply(answer.response, response.head);
  return response;
}

Response Fail(Exchange& exchange, std::string_view problem) {
  Log(LogComponent::kPolicy, LogLevel::kDebug, exchange.record().request_id,
      " ext_authz: ", problem.empty() ? "an answer that cannot be carried out" : problem);
  Count(exchange, AuthzResult::kError);
  return Refuse(exchange, Fault::kExtAuthzError);
}

}  // namespace

ExtAuthzFilter::ExtAuthzFilter(ExtAuthzOptions options) : options_(std::move(options)) {}

Task<Response> ExtAuthzFilter::Handle(Exchange& exchange, HttpNext next) const {
  std::vector<AuthzField> later;
  if (std::optional<Response> refusal = co_await Refusal(exchange, later)) co_return std::move(*refusal);
  Response response = co_await next(exchange);
  Apply(later, response.head);
  co_return response;
}

Task<std::optional<Response>> ExtAuthzFilter::Refusal(Exchange& exchange, std::vector<AuthzField>& later) const {
  AuthzAnswer answer = co_await Ask(exchange);
  if (answer.verdict == Verdict::kNone && options_.failure_mode_allow) {
    Count(exchange, AuthzResult::kFailedOpen);
    co_return std::nullopt;
  }
  if (!IsSound(answer)) co_return Fail(exchange, answer.problem);
  if (answer.verdict == Verdict::kDenied) {
    Count(exchange, AuthzResult::kDenied);
    co_return Deny(exchange, std::move(answer));
  }
  Count(exchange, AuthzResult::kAllowed);
  if (!answer.request.empty()) exchange.KeepJudged();
  Apply(answer.request, exchange.request.head);
  later = std::move(answer.response);
  co_return std::nullopt;
}

Task<AuthzAnswer> ExtAuthzFilter::Ask(Exchange& exchange) const {
  const uint64_t began = exchange.worker().loop().now_ms();
  Pending<AuthzAnswer> pending;
  const std::shared_ptr<const Authorizer> service = options_.service->Get();
  const std::unique_ptr<Authorizer::Call> call = service->Ask(QuestionOf(exchange), pending);
  AuthzAnswer answer = co_await pending;
  exchange.worker().counters().ext_authz_duration.Observe(exchange.worker().loop().now_ms() - began);
  co_return answer;
}

AuthzQuestion ExtAuthzFilter::QuestionOf(Exchange& exchange) const {
  const Head& head = exchange.request.head;
  const ExchangeRecord& record = exchange.record();
  AuthzQuestion question;
  question.source = exchange.connection().peer;
  question.extensions = options_.extensions;
  question.id = record.request_id;
  question.started_unix_us = record.started_unix_us;
  if (exchange.identity != nullptr && exchange.identity->named()) question.principal = exchange.identity->Name();
  if (exchange.target) {
    question.destination = exchange.target->host;
    question.destination_port = exchange.target->port;
    question.host = exchange.target->Authority(exchange.connect() ? 0 : exchange.default_port());
  }
  question.method = head.method;
  question.path = head.path;
  question.protocol = NameOf(head.version);
  if (!exchange.connect()) question.scheme = exchange.secure ? "https" : "http";
  question.size = SizeOf(head);
  for (const Field& field : head.fields())
    if (IsTold(field)) question.fields.push_back(field);
  return question;
}

bool ExtAuthzFilter::IsTold(const Field& field) const {
  const FieldName known = LookUpFieldName(field.name);
  if (known == FieldName::kProxyAuthorization) return false;
  if (known != FieldName::kCookie && !IsCredentialField(field.name)) return true;
  return std::any_of(options_.credential_headers.begin(), options_.credential_headers.end(),
                     [&](const std::string& name) { return EqualsIgnoreCase(name, field.name); });
}

}  // namespace egret
