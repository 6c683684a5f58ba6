// http_connection: the terminal filter that speaks HTTP on a connection's stream and runs the HTTP chain for each
// request. What a request names is made canonical here, once: what is matched is what is forwarded.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "source/chain/exchange.h"
#include "source/chain/filter.h"
#include "source/chain/serve.h"
#include "source/filters/authority_pages.h"
#include "source/http/http1_server.h"
#include "source/http/http2_limits.h"

namespace egret {

struct HttpConnectionOptions {
  // What a request may name (policy.md, "Transparent listeners").
  enum class Target : uint8_t { kByPlace, kAbsoluteForm, kTunnel, kHost };

  std::string via = "egret";  // our pseudonym in Via and Proxy-Status (RFC 9110 7.6.3); one for each instance
  Target target = Target::kByPlace;
  bool https_in_clear = false;  // https:// may be asked for over a connection that is not TLS itself
  DenialDetail denial_detail = DenialDetail::kRule;
  Http1ServerLimits limits;
  bool serve_http2 = true;  // to who begins with its preface (RFC 9113 3.3)
  Http2Limits http2;        // what HTTP/1 has, too, is taken from `limits`
  ServeLimits serve;
  uint32_t max_requests = 0;                                   // a connection; 0: no limit
  std::shared_ptr<const AuthorityPages> authority_pages = {};  // null: there are none
};

class HttpConnectionFilter final : public NetworkFilter {
 public:
  HttpConnectionFilter(HttpConnectionOptions options, HttpFilters filters);
  Task<void> Handle(Connection& connection, NetworkNext next) const override;

 private:
  HttpConnectionOptions options_;
  HttpFilters filters_;
};

}  // namespace egret
