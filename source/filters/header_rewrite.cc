#include "source/filters/header_rewrite.h"

#include <utility>

#include "source/chain/exchange.h"

namespace egret {
namespace {

void Apply(const std::vector<HeaderOperation>& operations, Head& head) {
  for (const HeaderOperation& operation : operations) {
    switch (operation.kind) {
      case HeaderOperation::Kind::kSet:
        head.Set(operation.name, operation.value);
        break;
      case HeaderOperation::Kind::kAppend:
        head.Add(operation.name, operation.value);
        break;
      case HeaderOperation::Kind::kRemove:
        head.Remove(operation.name);
        break;
    }
  }
}

}  // namespace

HeaderRewriteFilter::HeaderRewriteFilter(std::vector<HeaderOperation> request, std::vector<HeaderOperation> response)
    : request_(std::move(request)), response_(std::move(response)) {}

Task<Response> HeaderRewriteFilter::Handle(Exchange& exchange, HttpNext next) const {
  if (!request_.empty()) exchange.KeepJudged();
  Apply(request_, exchange.request.head);
  Response response = co_await next(exchange);
  Apply(response_, response.head);
  co_return response;
}

}  // namespace egret
