#include "source/filters/http_connection.h"

#include <utility>

#include "source/chain/connection.h"
#include "source/chain/exchange.h"
#include "source/chain/listener.h"
#include "source/event/combine.h"
#include "source/event/wait.h"
#include "source/filters/http2_connection.h"
#include "source/filters/request_intake.h"
#include "source/io/prefixed_stream.h"

namespace egret {
namespace {

class Http1Sink final : public ExchangeSink {
 public:
  Http1Sink(Http1Server& codec, Stream& stream) : codec_(codec), stream_(stream) {}
  [[clang::coro_wrapper]] Task<Failure> Inform(const Head& interim) override { return codec_.Inform(interim); }
  [[clang::coro_wrapper]] Task<Failure> Respond(const Head& head, Body* body) override {
    return codec_.Respond(head, body);
  }
  void CloseAfterThis() override { codec_.CloseAfterThis(); }
  bool responded() const override { return codec_.responded_head(); }
  bool request_complete() const override { return codec_.request_complete() && codec_.between_requests(); }
  Gate& GoneGate() override { return stream_.GoneGate(); }
  Gate& PeerDoneGate() override { return stream_.PeerDoneGate(); }

 private:
  Http1Server& codec_;
  Stream& stream_;
};

}  // namespace

// One connection's requests, one after the other, until it closes or turns into something else.
class Http1Session {
 public:
  Http1Session(Connection& connection, const HttpConnectionOptions& options, const HttpFilters& filters)
      : takes_http2_(options.serve_http2 && connection.alpn_selected().empty()),
        connection_(connection),
        options_(options),
        filters_(filters),
        codec_(*connection.stream, options.limits),
        sink_(codec_, *connection.stream) {}

  Task<void> Run() {
    for (uint32_t served = 1;; ++served) {
      Result<Request, Failure> received = co_await NextOrDrained(served > 1);
      if (!received && EndedBetweenRequests(received.error())) {
        if (received.error().fault == Fault::kIdleTimeout) Hit(Limit::kIdleConnection);
        co_return;
      }
      if (served == 1 && !received && received.error().fault == Fault::kHttp2Preface && takes_http2_) {
        begins_http2_ = true;
        co_return;
      }
      if (!received || served == options_.max_requests) codec_.CloseAfterThis();
      if (served == options_.max_requests) Hit(Limit::kRequestsPerConnection);
      if (!co_await ServeOne(std::move(received)) || !co_await codec_.Settle()) co_return;
    }
  }
  // Nothing was served: the client wants to speak HTTP/2, and what it said of it is unparsed.
  bool begins_http2() const { return begins_http2_; }
  std::string TakeUnparsed() { return codec_.TakeUnparsed(); }

 private:
  // Told to end between two requests, it reads nothing more, unless a part of the next one is here already: then that
  // one is served. A client whose request crosses the end on its way got no byte for it and may ask again (RFC 9112
  // 9.3.1).
  Task<Result<Request, Failure>> NextOrDrained(bool asked_before) {
    ConnectionEnds& ends = *connection_.ends;
    auto next = co_await Race(codec_.Next(), asked_before ? ends.idle : ends.unasked);
    if (auto* received = std::get_if<0>(&next)) co_return std::move(*received);
    if (codec_.between_requests()) co_await Yield();  // hears what epoll has to say
    if (codec_.between_requests() && !connection_.stream->ReadGate().open())
      co_return Failure{Side::kEgret, Fault::kDrain};
    co_return co_await codec_.Next();
  }

  // The client left or idled, or the worker drains, and nothing of a request had come: there is nobody to answer and
  // nothing to log.
  // (An empty line that some clients send behind a body is nothing either.)
  bool EndedBetweenRequests(Failure why) const {
    return !why || (TextOf(why.fault).status == 0 && codec_.between_requests());
  }

  void Hit(Limit limit) { connection_.worker.counters().limit_hits.Add(limit); }

  // Whether the codec may settle what is left and wait for another request. Not inlined: its frame would be part of
  // the session's, and held by every connection that waits for a request.
  [[clang::noinline]] Task<bool> ServeOne(Result<Request, Failure> received) {
    RecordHolder holder(connection_.worker);
    Describe(connection_, *holder);
    connection_.worker.counters().requests.Add();
    const GaugeHold active(connection_.worker.counters().exchanges_active);
    const Failure malformed = received ? Failure{} : received.error();
    Exchange exchange(connection_, sink_, received ? std::move(*received) : Request{Head(), nullptr},
                      std::move(holder));
    exchange.via = options_.via;
    exchange.denial_detail = options_.denial_detail;

    ServeEnd end =
        malformed ? co_await RefuseMalformed(exchange, malformed) : co_await TakeAndServe(exchange, options_, filters_);
    exchange.record().received_bytes = codec_.received_bytes();
    exchange.record().sent_bytes = codec_.sent_bytes();
    if (!end.intact) connection_.stream->Abort();
    if (end.takeover) {
      connection_.handover = {std::move(end.takeover), nullptr, exchange.TakeRecord()};
      co_return false;
    }
    co_return end.intact;
  }

  // A head that could not be read has no more than its first words.
  [[clang::coro_wrapper]] Task<ServeEnd> RefuseMalformed(Exchange& exchange, Failure why) {
    exchange.record().method = codec_.refused().method;
    exchange.record().target = Loggable(codec_.refused().target);
    return RefuseRequest(exchange, why);
  }

  const bool takes_http2_;  // by prior knowledge; TLS has settled what is spoken (RFC 9113 3.2, 3.3)
  Connection& connection_;
  const HttpConnectionOptions& options_;
  const HttpFilters& filters_;
  Http1Server codec_;
  Http1Sink sink_;
  bool begins_http2_ = false;
};

namespace {

struct Left {
  std::string unparsed;
  bool begins_http2 = false;
};

// The codec ends here, before the stream goes to whoever takes over.
Task<Left> ServeHttp1(Connection& connection, const HttpConnectionOptions& options, const HttpFilters& filters) {
  Http1Session session(connection, options, filters);
  co_await session.Run();
  co_return Left{session.TakeUnparsed(), session.begins_http2()};
}

}  // namespace

HttpConnectionFilter::HttpConnectionFilter(HttpConnectionOptions options, HttpFilters filters)
    : options_(std::move(options)), filters_(std::move(filters)) {
  // What is limited for one version is limited for the other.
  const Http1ServerLimits& limits = options_.limits;
  Http2Limits& http2 = options_.http2;
  http2.head_bytes = limits.head_bytes;
  http2.fields = limits.fields;
  http2.target_bytes = limits.target_bytes;
  http2.trailer_bytes = limits.trailer_bytes;
  http2.idle_ms = limits.idle_ms;
  http2.preface_ms = http2.settings_ack_ms = http2.head_ms = limits.head_ms;
  http2.body_ms = limits.body_ms;
  http2.write_ms = limits.write_ms;
}

Task<void> HttpConnectionFilter::Handle(Connection& connection, NetworkNext /*terminal*/) const {
  if (connection.alpn_selected() == "h2") co_return co_await ServeHttp2(connection, options_, filters_);
  Left left = co_await ServeHttp1(connection, options_, filters_);
  if (connection.handover.to == nullptr && !left.begins_http2) co_return;
  connection.stream = WithPrefix(std::move(left.unparsed), std::move(connection.stream));
  if (left.begins_http2) co_await ServeHttp2(connection, options_, filters_);
}

}  // namespace egret
