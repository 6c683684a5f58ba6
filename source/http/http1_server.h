// HTTP/1 towards a client, over one Stream that it borrows: one exchange after the other.
//
//   Next -> (body reads, Inform...) -> Respond -> Settle -> Next ...
//
// The request's body may be read while Respond runs; apart from that one task of this class runs at a time. Any of them
// may be destroyed while it waits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "source/base/failure.h"
#include "source/base/result.h"
#include "source/event/task.h"
#include "source/http/body.h"
#include "source/http/head.h"
#include "source/http/http1_body.h"
#include "source/http/http1_input.h"
#include "source/http/http1_output.h"
#include "source/http/request.h"
#include "source/http/serialize.h"
#include "source/io/stream.h"

namespace egret {

struct Http1ServerLimits {
  size_t head_bytes = size_t{64} << 10;    // start line and fields; above: 431
  size_t fields = 100;                     // 431
  size_t target_bytes = size_t{16} << 10;  // 414
  size_t trailer_bytes = size_t{8} << 10;
  uint64_t idle_ms = 300'000;             // waiting for the first byte of a request
  uint64_t head_ms = 15'000;              // from there to the end of the head
  uint64_t body_ms = 60'000;              // no byte of the body; 0: no limit
  uint64_t write_ms = 60'000;             // no byte taken
  size_t drain_bytes = size_t{64} << 10;  // of an unread body, rather than closing
  uint64_t drain_ms = 1'000;
  size_t linger_bytes = size_t{1} << 20;  // thrown away before closing
  uint64_t linger_ms = 2'000;
};

class Http1Server {
 public:
  // Both must outlive it.
  Http1Server(Stream& stream, const Http1ServerLimits& limits);
  Http1Server(const Http1Server&) = delete;
  Http1Server& operator=(const Http1Server&) = delete;

  // Waits for the next request's head and judges it. Errors: {kClient, kNone} the client ended in order between
  // requests; kIdleTimeout; kClientGone, kClientEnded, none of which can be answered; kClientTimeoutHeader and the
  // kHttp* faults, to be answered with Respond, which then closes.
  Task<Result<Request, Failure>> Next();
  // Nothing of a next request has arrived: the connection may be closed without loss.
  bool between_requests() const { return input_.unread().empty(); }

  // What was received of a head that Next() refused, raw and cut short, for the log; maybe empty.
  struct Refused {
    std::string method;
    std::string target;  // may hold userinfo
  };
  const Refused& refused() const { return refused_; }

  // Writes an interim response at once; nothing to a 1.0 client or after the final head. Upgrade's 101 is no interim
  // response: it goes through Respond.
  Task<Failure> Inform(const Head& interim);

  // Writes the final response and ends when all of it is out. Framing and Connection are decided here, whatever the
  // head says of them; `body` may be null. Where the body fails, gives its failure and leaves the response visibly
  // incomplete: the caller aborts the stream. After a 2xx to CONNECT and after 101, the stream is the tunnel's.
  Task<Failure> Respond(const Head& head, Body* body);
  // The next response says Connection: close.
  void CloseAfterThis() { close_ = true; }
  // A final head has begun to be written.
  bool responded_head() const { return responded_; }
  // All of the request was read.
  bool request_complete() const { return body_.complete(); }

  // After Respond. True: Next() may be called. False: our side has been ended and the client's rest thrown away for a
  // while (RFC 9112 9.6); the caller closes.
  Task<bool> Settle();

  // After CONNECT's 2xx or 101 was written: what was read already and belongs to the tunnel.
  std::string TakeUnparsed() { return input_.TakeUnread(); }

  // Bytes on the wire since Next() was called: of this request, of its responses.
  uint64_t received_bytes() const { return input_.consumed() - received_before_; }
  uint64_t sent_bytes() const { return output_.written() - sent_before_; }

 private:
  enum class Asked : uint8_t { kOther, kHead, kConnect };

  void BeginExchange();
  Failure Refuse(Fault fault);
  Result<Request, Failure> TakeRequest(size_t begin, size_t end);
  WireFraming PlanFor(const Head& head, const Body* body);
  bool MayKeepAlive() const;
  Task<Failure> SendBody(Body& body, std::string out);
  Task<bool> DrainBody();

  const Http1ServerLimits& limits_;
  Http1Input input_;
  Http1Output output_;
  Http1BodyReader body_;
  Refused refused_;
  uint64_t received_before_ = 0;
  uint64_t sent_before_ = 0;
  Version version_ = Version::kHttp11;
  Asked asked_ = Asked::kOther;
  bool close_ = false;             // asked for by the caller, the client or a fault
  bool expects_continue_ = false;  // and no 100 has been sent
  bool responded_ = false;
  bool keep_alive_ = false;  // decided with the final head
};

}  // namespace egret
