// mitm_terminator: TLS inside a tunnel that is to be inspected is ended here, with a leaf that was minted for the
// destination, and what was inside goes on through the chain. Eager: the origin is asked first, so that the client's
// TLS is like the origin's (its protocol, its names), and an origin that is not to be believed is known before anything
// is promised. Lazy: the client first; the origin is reached by the first request.
//
// HTTP in clear passes through unchanged. Nothing that was refused, and nothing that may only be relayed, gets in here,
// but for those that are to be told inside why (Connection::refusal).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "source/base/current.h"
#include "source/chain/filter.h"
#include "source/filters/origin_contexts.h"
#include "source/filters/origin_mirror.h"
#include "source/tls/authority.h"
#include "source/tls/leaf_server.h"

namespace egret {

struct MitmTerminatorOptions {
  enum class Origin : uint8_t { kEager, kLazy };
  // What a client sees of an origin whose TLS failed.
  enum class OnFailure : uint8_t {
    kClose,          // an alert that says the same
    kUntrustedLeaf,  // a leaf that it has no reason to believe; where it goes on anyway, the page
    kErrorPage,      // a page inside
  };

  std::shared_ptr<const Current<CertificateAuthority>> authority;
  std::shared_ptr<const CertificateAuthority> untrusted;  // for kUntrustedLeaf
  std::shared_ptr<const LeafServerContext> server;
  std::shared_ptr<const OriginContexts> origins;
  Origin origin = Origin::kEager;
  OnFailure on_failure = OnFailure::kClose;
  uint64_t handshake_ms = 10000;  // with either side
  // Of the chain behind it.
  std::vector<std::string> spoken;  // in order of preference
  ForwardRouterOptions router;
};

class MitmTerminatorFilter final : public NetworkFilter {
 public:
  explicit MitmTerminatorFilter(MitmTerminatorOptions options) : options_(std::move(options)) {}
  [[clang::coro_wrapper]] Task<void> Handle(Connection& connection, NetworkNext next) const override;

 private:
  MitmTerminatorOptions options_;
};

}  // namespace egret
