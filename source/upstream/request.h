// UpstreamRequest: one request and its response on a connection to an origin or a parent proxy, whichever version of
// HTTP that speaks.
//
//   SendHead -> Upload beside ReadHead (interim heads, then the final one) -> ResponseBody, or TakeStream
//
// Upload may run beside ReadHead and the reading of the response's body; apart from that one task of it runs at a time.
// Any may be destroyed while it waits. Destroyed, it gives its connection back where nothing of the exchange is left on
// it, else closes it (HTTP/1) or resets its stream (HTTP/2).
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "source/base/failure.h"
#include "source/base/ip.h"
#include "source/base/result.h"
#include "source/event/task.h"
#include "source/http/body.h"
#include "source/http/head.h"
#include "source/http/http1_client.h"
#include "source/http/http2_limits.h"
#include "source/io/stream.h"
#include "source/upstream/pool.h"

namespace egret {

class UpstreamRequest {
 public:
  UpstreamRequest() = default;
  virtual ~UpstreamRequest() = default;
  UpstreamRequest(const UpstreamRequest&) = delete;
  UpstreamRequest& operator=(const UpstreamRequest&) = delete;

  // What the connection is: where it leads, the version of TLS around it (empty: in clear) and the key of who is at its
  // end (KeySha256Of()), what is spoken.
  virtual const Endpoint& peer() const = 0;
  virtual std::string_view tls_version() const = 0;
  virtual std::string tls_key() const = 0;
  virtual std::string_view protocol() const = 0;  // "HTTP/1.1", "HTTP/2"
  // How its TLS has ended, where that was not in order. In TLS 1.3 a client hears only behind its handshake that it is
  // not believed.
  virtual TlsOutcome tls_end() const = 0;
  // Whether the connection had a request before this one.
  virtual bool reused() const = 0;
  // Of a shared connection: its number, rising with each that is made; 0 of others.
  virtual uint64_t number() const = 0;

  // As of Http1Client and Http2ClientStream.
  virtual Task<Failure> SendHead(const Head& head, Body* body, bool withhold_body) = 0;
  virtual Task<UploadEnd> Upload(Body& body) = 0;
  virtual Task<Result<Head, Failure>> ReadHead() = 0;
  virtual std::unique_ptr<Body> ResponseBody() = 0;
  virtual bool upload_complete() const = 0;

  // Whether the same request may go out once more, on another connection: no byte of its body was taken and nothing
  // came back; and either the peer says that it did not look at it (RFC 9113 8.7), or this connection stood there
  // before and the method is idempotent or nothing went out at all (RFC 9110 9.2.2).
  virtual bool MayRepeat(bool idempotent) const = 0;

  // After 101 and CONNECT's 2xx: what the connection, or the stream, is from here on, beginning with what was read
  // already. This object goes on holding its place in the pool's count.
  virtual std::unique_ptr<Stream> TakeStream() = 0;
};

struct UpstreamLimits {
  Http1ClientLimits http1;
  Http2Limits http2;
  PoolLimits pool;
};

// A request on a connection that is there: one of HTTP/2 with room, else the one of HTTP/1 that idled least. Null:
// none of that key that `admits` agrees to.
std::unique_ptr<UpstreamRequest> TakePooled(UpstreamPool& pool, const PoolKey& key, const UpstreamPool::Admits& admits,
                                            const PoolLimits& limits);
// To try once more: only one of HTTP/2 that was made after that number.
std::unique_ptr<UpstreamRequest> TakeNewer(UpstreamPool& pool, const PoolKey& key, const UpstreamPool::Admits& admits,
                                           uint64_t number);

// The first request on a new connection.
std::unique_ptr<UpstreamRequest> BeginHttp1(UpstreamPool& pool, NewLink made, const UpstreamLimits& limits);
// As above; the connection is shared from now on.
std::unique_ptr<UpstreamRequest> BeginHttp2(UpstreamPool& pool, NewLink made, const UpstreamLimits& limits);

// A new connection, for whichever request comes first.
void Keep(UpstreamPool& pool, NewLink made, bool http2, const UpstreamLimits& limits);

}  // namespace egret
