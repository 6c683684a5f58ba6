// HTTP/1 towards an origin or a parent proxy, over one Stream that it borrows: one exchange after the other.
//
//   SendHead -> Upload beside ReadHead (interim heads, then the final one) -> ResponseBody ... -> reusable()?
//
// Upload may run beside ReadHead and the reading of the response's body; apart from that one task of this class runs at
// a time. Any of them may be destroyed while it waits; the connection is then not reusable.
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
#include "source/io/stream.h"

namespace egret {

struct Http1ClientLimits {
  size_t head_bytes = size_t{64} << 10;
  size_t fields = 200;
  size_t trailer_bytes = size_t{8} << 10;
  uint64_t head_ms = 300'000;  // without a byte of a head, nor of the request taken
  uint64_t body_ms = 60'000;   // no byte of the body; 0: no limit
  uint64_t write_ms = 60'000;  // no byte taken
  int interim = 16;            // responses before the final one
};

// How sending a request's body ended.
struct UploadEnd {
  enum Kind : uint8_t {
    kComplete,
    kClientFailed,          // the body failed: the exchange ends
    kOriginStoppedReading,  // no failure by itself: the response may still come
  } kind;
  Failure why;
};

class Http1Client {
 public:
  // Both must outlive it.
  Http1Client(Stream& stream, const Http1ClientLimits& limits);
  Http1Client(const Http1Client&) = delete;
  Http1Client& operator=(const Http1Client&) = delete;

  // Begins an exchange: the request line in the form that `head` names (kOrigin and kAsterisk: path; kAbsolute;
  // kAuthority for CONNECT) and the fields, framed for `body` (null: no content). A first chunk that is ready leaves
  // in the same call, unless `withhold_body` (Expect). Errors: of the stream, and the body's own, before a byte went
  // out.
  Task<Failure> SendHead(const Head& head, Body* body, bool withhold_body = false);
  // Sends what SendHead did not. Ends also when the origin ended its side, since it will not answer any more.
  Task<UploadEnd> Upload(Body& body);

  // The next head: interim ones (1xx) one by one, then the final one. An asked-for 101 and a 2xx to CONNECT are final.
  // Errors are the upstream's: kUpstreamClosed, -Reset, -TimeoutHeader, -Malformed, -Framing, -HeaderTooLarge,
  // -TooManyInterim, -Unasked101. After a final head, content that came with it stays in the borrowed buffer: whoever
  // waits before reading the body calls its Release().
  Task<Result<Head, Failure>> ReadHead();
  // After the final head; null: no content. Borrows the client.
  std::unique_ptr<Body> ResponseBody() { return body_.MakeHandle(); }

  // Nothing was asked yet; or request and response are complete and both sides keep the connection. Nothing is unread.
  bool reusable() const;
  // For a link that was idle: reads once. False: the origin ended it, broke it, or spoke unasked.
  bool StillQuiet();

  bool asked() const { return asked_; }  // an exchange has begun

  // For the retry rule.
  bool request_written() const { return output_.written() != sent_before_; }  // the stream took a byte of it
  bool upload_begun() const { return upload_begun_; }                         // a byte of the body was pulled
  bool upload_complete() const { return upload_complete_; }
  bool response_begun() const { return response_begun_; }  // a byte of the response arrived
  bool response_complete() const { return final_ && body_.complete(); }

  // After 101 or CONNECT's 2xx: what was read already and belongs to the tunnel.
  std::string TakeUnparsed() { return input_.TakeUnread(); }

  // Bytes on the wire in this exchange.
  uint64_t received_bytes() const { return input_.consumed() - received_before_; }
  uint64_t sent_bytes() const { return output_.written() - sent_before_; }

 private:
  void BeginExchange(const Head& head);
  Result<Head, Failure> TakeHead(size_t begin, size_t end);
  Failure Break(Fault fault);

  const Http1ClientLimits& limits_;
  Http1Input input_;
  Http1Output output_;
  Http1BodyReader body_;  // the response's
  uint64_t received_before_ = 0;
  uint64_t sent_before_ = 0;
  int interim_ = 0;
  AnswerTo request_;
  bool to_upgrade_ = false;
  bool broken_ = false;  // something failed: never to be used again
  bool keep_alive_ = false;
  bool final_ = false;  // the final head was read
  bool asked_ = false;
  bool upload_begun_ = false;
  bool upload_complete_ = false;
  bool response_begun_ = false;
};

}  // namespace egret
