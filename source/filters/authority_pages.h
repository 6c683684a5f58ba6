// What the proxy serves of its own, on the port where it is the proxy: the certificates that clients have to believe
// where it looks inside TLS. Whoever can reach it may have them; they say nothing that a handshake would not.
//
//   GET /.well-known/egret/ca.pem      the CAs; both while one takes the other's place
//   GET /.well-known/egret/bundle.pem  the same behind the system's roots, for clients that believe one file
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "source/base/current.h"
#include "source/chain/response.h"
#include "source/http/head.h"
#include "source/tls/authority.h"

namespace egret {

class AuthorityPages {
 public:
  using Authorities = std::vector<std::shared_ptr<const Current<CertificateAuthority>>>;

  // There are none at first.
  AuthorityPages() : authorities_(std::make_shared<const Authorities>()) {}
  // Those that are given out from here on. Thread-safe. Reads the system's roots where they are needed first.
  void Set(Authorities authorities);

  // To a request in origin-form. Nothing: it is for another page.
  std::optional<Response> Answer(const Head& request) const;

 private:
  Current<Authorities> authorities_;
  Current<std::string> system_roots_{nullptr};
};

}  // namespace egret
