#include "source/chain/serve.h"

#include <utility>

#include "source/base/check.h"
#include "source/chain/local_reply.h"
#include "source/event/combine.h"
#include "source/event/wait.h"

namespace egret {
namespace {

constexpr Failure kClientGone{Side::kClient, Fault::kClientGone};

Task<ServeEnd> Whole(Exchange& exchange, const HttpFilters& chain) {
  co_return co_await SendResponse(exchange, co_await HttpNext(chain)(exchange));
}

bool MaySwitch(const Exchange& exchange, const Head& head) {
  const Head& request = exchange.request.head;
  const bool connect = request.method == "CONNECT" || !request.protocol.empty();
  return head.status == 101 || (connect && head.status / 100 == 2);
}

// The client is gone, or is to be told by the end alone.
bool NobodyHears(Exchange& exchange) {
  const Fault why = exchange.why().fault;
  return exchange.sink().GoneGate().open() || (why != Fault::kNone && TextOf(why).status == 0);
}

// One try. No failure: it is out, whole.
Task<Failure> Put(Exchange& exchange, Response& response) {
  if (!exchange.quiet().open() && response.body != nullptr) response.body->Release();
  while (!exchange.quiet().open()) co_await GateAwaiter(exchange.quiet());
  if (exchange.cut_short() || NobodyHears(exchange)) co_return exchange.why() ? exchange.why() : kClientGone;
  exchange.record().status = response.head.status;
  const Failure failure = co_await exchange.sink().Respond(response.head, response.body.get());
  if (failure && !exchange.sink().responded()) exchange.record().status = 0;
  co_return failure;
}

}  // namespace

Task<ServeEnd> SendResponse(Exchange& exchange, Response response) {
  CHECK(response.takeover == nullptr || (response.body == nullptr && MaySwitch(exchange, response.head)));
  ExchangeSink& sink = exchange.sink();
  if (exchange.connection().ends->draining.open()) sink.CloseAfterThis();
  if (exchange.worker().overload() != Overload::kNone && response.takeover == nullptr) {
    exchange.worker().counters().overload_actions.Add(OverloadAction::kCloseConnection);
    sink.CloseAfterThis();
  }
  if (exchange.expectation == Expectation::kPending) {  // the body will never be asked for
    exchange.expectation = Expectation::kRefused;
    sink.CloseAfterThis();
  }
  Failure failure = co_await Put(exchange, response);
  // The content broke before the head went out: the client can still be told.
  if (failure && !sink.responded() && !NobodyHears(exchange) && TextOf(failure.fault).status != 0) {
    response = LocalReply(exchange, failure);
    failure = co_await Put(exchange, response);
  }
  if (!failure) co_return ServeEnd{true, std::move(response.takeover)};
  exchange.record().Fail(failure);
  co_return ServeEnd{};
}

Task<ServeEnd> Serve(Exchange& exchange, const HttpFilters& chain, const ServeLimits& limits) {
  if (exchange.worker().overload() == Overload::kHard) {
    exchange.worker().counters().overload_actions.Add(OverloadAction::kRefuseRequest);
    co_return co_await SendResponse(exchange, LocalReply(exchange, {Side::kEgret, Fault::kOverload}));
  }
  exchange.Watch(limits.client_fin_grace_ms, limits.total_ms);
  auto outcome = co_await Race(Whole(exchange, chain), exchange.ending());
  exchange.Unwatch();
  exchange.nursery().Clear();
  if (auto* end = std::get_if<0>(&outcome)) co_return std::move(*end);

  const Failure why = exchange.why();
  if (exchange.sink().responded() || NobodyHears(exchange)) co_return ServeEnd{};
  exchange.sink().CloseAfterThis();
  co_return co_await SendResponse(exchange, LocalReply(exchange, why));
}

}  // namespace egret
