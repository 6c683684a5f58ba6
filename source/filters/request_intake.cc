#include "source/filters/request_intake.h"

#include <optional>
#include <utility>

#include "source/base/strings.h"
#include "source/chain/connection.h"
#include "source/chain/exchange.h"
#include "source/chain/local_reply.h"
#include "source/filters/authority_pages.h"
#include "source/filters/request_target.h"
#include "source/http/hop.h"

namespace egret {
namespace {

// Takes off the head what is meant for us and not for whoever comes next (RFC 9110 7.6.1), so that no filter and no
// origin meets it; then refuses what has been here before.
Fault TakeHopByHop(Exchange& exchange) {
  Head& head = exchange.request.head;
  exchange.upgrade = WantedUpgrade(head);
  if (const Field* credentials = head.Find(FieldName::kProxyAuthorization)) {
    exchange.proxy_authorization = credentials->value;
    exchange.credentials_repeated = head.Count(FieldName::kProxyAuthorization) > 1;
    if (exchange.connection().target) exchange.worker().counters().spurious_proxy_authorization.Add();
  }
  if (const Failure failure = StripHopByHop(head)) return failure.fault;
  for (const FieldName forwarded :
       {FieldName::kForwarded, FieldName::kXForwardedFor, FieldName::kXForwardedHost, FieldName::kXForwardedProto})
    head.Remove(forwarded);
  return ViaHas(head, exchange.via) ? Fault::kProxyLoop : Fault::kNone;
}

// What was known before the client could ask. The request may be for anything.
[[clang::coro_wrapper]] Task<ServeEnd> AnswerRefusal(Exchange& exchange, const Refusal& refusal) {
  exchange.target = exchange.connection().target;
  DescribeRequest(exchange, exchange.request.head, exchange.record());
  exchange.record().tls_detail = refusal.tls_detail;
  return SendResponse(
      exchange, refusal.decision ? DenialReply(exchange, *refusal.decision) : LocalReply(exchange, refusal.failure));
}

}  // namespace

void DescribeRequest(const Exchange& exchange, const Head& head, ExchangeRecord& record) {
  record.protocol = NameOf(head.version);
  record.method = head.method;
  if (exchange.target) record.target = exchange.target->ToString();
  record.path = head.path.substr(0, head.path.find('?'));
  if (const Field* agent = head.Find("User-Agent")) record.user_agent = agent->value;
}

std::string Loggable(std::string_view target) {
  target = target.substr(0, target.find('?'));
  const size_t scheme = target.find("://");
  const size_t authority = scheme == std::string_view::npos ? 0 : scheme + 3;
  const size_t at = target.substr(0, target.find('/', authority)).rfind('@');
  if (at == std::string_view::npos || at < authority) return std::string(target);
  return Cat(target.substr(0, authority), target.substr(at + 1));
}

Task<ServeEnd> RefuseRequest(Exchange& exchange, Failure why) {
  if (TextOf(why.fault).status == 0) {
    exchange.record().Fail(why);
    co_return ServeEnd{};
  }
  co_return co_await SendResponse(exchange, LocalReply(exchange, why));
}

[[clang::coro_wrapper]] Task<ServeEnd> TakeAndServe(Exchange& exchange, const HttpConnectionOptions& options,
                                                    const HttpFilters& filters) {
  Fault fault = TakeHopByHop(exchange);
  if (const auto& refusal = exchange.connection().refusal) return AnswerRefusal(exchange, *refusal);
  if (fault == Fault::kNone) fault = ResolveTarget(exchange, options);
  DescribeRequest(exchange, exchange.request.head, exchange.record());
  if (fault == Fault::kHttpTargetForm && options.authority_pages != nullptr)
    if (std::optional<Response> page = options.authority_pages->Answer(exchange.request.head))
      return SendResponse(exchange, std::move(*page));
  if (fault != Fault::kNone) return RefuseRequest(exchange, {Side::kClient, fault});
  return Serve(exchange, filters, options.serve);
}

}  // namespace egret
