// The server's side of TLS with a minted leaf. One context serves all leaves: a handshake is given its leaf, what it
// may agree on, and with whom its session may go on. Immutable and shared by all threads.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "source/base/result.h"
#include "source/io/stream.h"
#include "source/tls/leaf.h"
#include "source/tls/ssl_context.h"
#include "source/tls/tls_stream.h"

namespace egret {

class LeafServerContext : public std::enable_shared_from_this<LeafServerContext> {
 public:
  // `settings.alpn` is not looked at.
  static Result<std::shared_ptr<const LeafServerContext>, Problem> Make(const TlsSettings& settings);

  // The server's side of a connection; its handshake has not begun. `alpn`: what may be agreed on, in order of
  // preference; empty: ALPN is not spoken. A client that offers only others is refused. A session goes on only with the
  // same CA, the leaf's name and `partition` (of the caller: listener, policy, identity), whichever worker meets it.
  std::unique_ptr<TlsStream> Accept(std::unique_ptr<Stream> lower, const Leaf& leaf, std::vector<std::string> alpn,
                                    std::string_view partition) const;

 private:
  LeafServerContext() = default;
  static int OnServerName(SSL* ssl, int* alert, void* unused);
  static int OnAlpn(SSL* ssl, const unsigned char** out, unsigned char* out_size, const unsigned char* offer,
                    unsigned offer_size, void* unused);

  SslContextPtr context_;
};

}  // namespace egret
