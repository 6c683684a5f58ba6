#include "source/filters/http2_connection.h"

#include <cstdint>
#include <memory>
#include <utility>

#include "source/chain/exchange.h"
#include "source/chain/record.h"
#include "source/chain/worker.h"
#include "source/event/combine.h"
#include "source/event/nursery.h"
#include "source/filters/request_intake.h"
#include "source/http/http2_server.h"

namespace egret {
namespace {

constexpr uint64_t kLastTasksMs = 10'000;  // for the tasks to end by themselves once their streams are gone

Limit LimitOf(Http2Limit limit) {
  static_assert(static_cast<int>(Limit::kHttp2UnreadStreams) - static_cast<int>(Limit::kHttp2Streams) ==
                static_cast<int>(Http2Limit::kUnreadStream) - static_cast<int>(Http2Limit::kStreams));
  return static_cast<Limit>(static_cast<int>(Limit::kHttp2Streams) + static_cast<int>(limit));
}

class Http2Sink final : public ExchangeSink {
 public:
  Http2Sink(Http2ServerStream& stream, Http2Server& server, Connection& connection)
      : stream_(stream), server_(server), connection_(connection) {}
  [[clang::coro_wrapper]] Task<Failure> Inform(const Head& interim) override { return stream_.Inform(interim); }
  [[clang::coro_wrapper]] Task<Failure> Respond(const Head& head, Body* body) override {
    return stream_.Respond(head, body);
  }
  // A request that is not read to its end costs no connection here, only where there should be none any more.
  void CloseAfterThis() override {
    if (connection_.ends->draining.open() || connection_.worker.overload() != Overload::kNone) server_.ShutDown();
  }
  bool responded() const override { return stream_.responded_head(); }
  bool request_complete() const override { return stream_.request_complete(); }
  Gate& GoneGate() override { return stream_.GoneGate(); }
  // That a client ended its side of a stream means nothing; a client that is gone ends the connection.
  Gate& PeerDoneGate() override { return Gate::NeverOpen(); }
  Failure WhyGone() const override { return stream_.why() ? stream_.why() : ExchangeSink::WhyGone(); }

 private:
  Http2ServerStream& stream_;
  Http2Server& server_;
  Connection& connection_;
};

class Http2Connection final : public Http2ServerOwner {
 public:
  Http2Connection(Connection& connection, const HttpConnectionOptions& options, const HttpFilters& filters)
      : connection_(connection),
        options_(options),
        filters_(filters),
        server_(*connection.stream, options.http2, *this) {}

  Task<void> Run() {
    tasks_.Start(EndWhenTold());
    Tell(co_await server_.Run());
    if (active_ > 0) co_await GateWithin(none_active_, kLastTasksMs);
  }

  void OnRequest(std::unique_ptr<Http2ServerStream> stream) override {
    asked_.Open();
    if (server_.accepted() == options_.max_requests) {
      Hit(Limit::kRequestsPerConnection);
      server_.ShutDown();
    }
    tasks_.Start(ServeStream(std::move(stream)));
  }
  void OnLimit(Http2Limit limit) override { Hit(LimitOf(limit)); }
  void OnMalformed() override { Log({Side::kClient, Fault::kHttp2Malformed}); }

 private:
  struct Active {
    explicit Active(Http2Connection& of) : connection(of) {
      ++connection.active_;
      connection.none_active_.Close();
    }
    ~Active() {
      if (--connection.active_ == 0) connection.none_active_.Open();
    }
    Active(const Active&) = delete;
    Active& operator=(const Active&) = delete;
    Http2Connection& connection;
  };

  // Told to end as connections between two requests are (drain.h). What is open is served to its end.
  Task<void> EndWhenTold() {
    const auto first = co_await Race(connection_.ends->unasked, asked_);
    if (first.index() == 1) co_await GateAwaiter(connection_.ends->idle);
    server_.ShutDown();
  }

  Task<void> ServeStream(std::unique_ptr<Http2ServerStream> stream) {
    const Active active(*this);
    Handover tunnel = co_await ServeOne(*stream);
    if (tunnel.to == nullptr) co_return;
    tunnel.client = stream->TakeTunnel();
    stream.reset();
    co_await RunTakeovers(std::move(tunnel));
  }

  // Not inlined: its frame would be part of the stream's, and held by every tunnel.
  [[clang::noinline]] Task<Handover> ServeOne(Http2ServerStream& stream) {
    Worker& worker = connection_.worker;
    RecordHolder holder(worker);
    Describe(connection_, *holder);
    worker.counters().requests.Add();
    const GaugeHold active(worker.counters().exchanges_active);
    Http2Sink sink(stream, server_, connection_);
    Exchange exchange(connection_, sink, stream.TakeRequest(), std::move(holder));
    exchange.via = options_.via;
    exchange.denial_detail = options_.denial_detail;

    ServeEnd end = stream.refused() ? co_await RefuseMalformed(exchange, stream.refused())
                                    : co_await TakeAndServe(exchange, options_, filters_);
    exchange.record().received_bytes = stream.received_bytes();
    exchange.record().sent_bytes = stream.sent_bytes();
    if (!end.takeover) co_return Handover{};
    co_return Handover{std::move(end.takeover), nullptr, exchange.TakeRecord()};
  }

  [[clang::coro_wrapper]] Task<ServeEnd> RefuseMalformed(Exchange& exchange, Failure why) {
    const Head& head = exchange.request.head;
    DescribeRequest(exchange, head, exchange.record());
    exchange.record().target = Loggable(head.authority);
    return RefuseRequest(exchange, why);
  }

  // How the connection ended; each stream that was open tells for itself.
  void Tell(Failure why) {
    if (why.fault == Fault::kIdleTimeout) return Hit(Limit::kIdleConnection);
    if (why && why.fault != Fault::kClientGone) Log(why);
  }
  // A line for what no exchange tells.
  void Log(Failure why) {
    RecordHolder holder(connection_.worker);
    Describe(connection_, *holder);
    holder->kind = ExchangeRecord::Kind::kConnection;
    holder->protocol = "HTTP/2";
    holder->Fail(why);
  }
  void Hit(Limit limit) { connection_.worker.counters().limit_hits.Add(limit); }

  Connection& connection_;
  const HttpConnectionOptions& options_;
  const HttpFilters& filters_;
  Gate asked_{false};
  Gate none_active_{true};
  size_t active_ = 0;
  Http2Server server_;
  Nursery tasks_;  // the first to go
};

}  // namespace

Task<void> ServeHttp2(Connection& connection, const HttpConnectionOptions& options, const HttpFilters& filters) {
  Http2Connection served(connection, options, filters);
  co_await served.Run();
}

}  // namespace egret
