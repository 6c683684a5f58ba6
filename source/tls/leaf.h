// A minted leaf: what stands in the origin's place in a handshake with a client.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "source/base/result.h"
#include "source/event/task.h"
#include "source/tls/authority.h"
#include "source/tls/leaf_names.h"

namespace egret {

struct Leaf {
  X509Ptr certificate;
  std::shared_ptr<const LeafBase> base;  // its key, and the chain behind it
  std::string name;                      // its first: that of whoever the client wanted
  int64_t renew_at = 0;                  // seconds since 1970: from here on another one is minted
  size_t bytes = 0;                      // roughly what it takes in memory
};
using LeafPtr = std::shared_ptr<const Leaf>;

struct LeafRequest {
  std::vector<LeafName> names;  // of NamesForLeaf()
  int64_t origin_end = 0;       // seconds since 1970: when the origin's own leaf ends; 0: there is none
};

constexpr int64_t kLeastLeafLifetime = 3600;
// From its beginning to its end: browsers and others refuse what lives much longer (of public CAs, which they cannot
// always tell apart from this one), and the limit of public CAs goes down to 47 days.
constexpr int64_t kMostLeafLife = int64_t{90} * 86400;

// Mints one, valid from an hour before `now`, so that a client's clock may be behind, until the earliest of: the end of
// the CA and of what issued it, the origin's own end where that is still to come, and the CA's lifetime for leaves. The
// problem says why there is none: a name that the CA may not speak for, a CA that has expired, a signer that failed.
Task<Result<LeafPtr, Problem>> MintLeaf(std::shared_ptr<const CertificateAuthority> authority, LeafRequest request,
                                        int64_t now);

}  // namespace egret
