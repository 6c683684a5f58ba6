// What one worker counts. Written by its thread only; the scrape reads the atomics from another thread and asks the
// worker itself, by a post, for the table of decisions.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "source/auth/auth_method.h"
#include "source/base/counter.h"
#include "source/base/failure.h"
#include "source/chain/body_rewrites.h"
#include "source/chain/leaf_refusals.h"
#include "source/chain/overload.h"
#include "source/tls/tls_facts.h"

namespace egret {

// How often each rule decided what. Bounded: what comes after the first kMost rules is counted together.
class DecisionCounts {
 public:
  static constexpr size_t kMost = 1000;
  struct Key {
    std::string policy, rule, action, stage;
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct View {
    std::string_view policy, rule, action, stage;
  };

  void Add(const View& decision);
  template <class Visit>
  void ForEach(Visit visit) const {
    for (const auto& [key, count] : counts_) visit(key, count);
  }

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(const View& view) const;
    size_t operator()(const Key& key) const { return (*this)(View{key.policy, key.rule, key.action, key.stage}); }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(const Key& a, const Key& b) const { return a == b; }
    bool operator()(const View& a, const Key& b) const {
      return a.policy == b.policy && a.rule == b.rule && a.action == b.action && a.stage == b.stage;
    }
    bool operator()(const Key& a, const View& b) const { return (*this)(b, a); }
  };
  std::unordered_map<Key, uint64_t, Hash, Equal> counts_;
};

// Limits of the configuration that end no exchange by a fault of their own, or share one.
enum class Limit : uint8_t {
  kConnections,
  kConnectionsPerSource,
  kConnectionsPerListener,
  kRequestsPerConnection,
  kRateRequests,
  kRateTunnels,
  kIdleConnection,  // between requests
  kHandOverQueue,   // the connection stayed with a worker that has more to carry
  // Of an HTTP/2 connection, in the order of Http2Limit.
  kHttp2Streams,
  kHttp2Resets,
  kHttp2Continuations,
  kHttp2HeadBytes,
  kHttp2Settings,
  kHttp2Pings,
  kHttp2EmptyFrames,
  kHttp2Priorities,
  kHttp2WindowUpdates,
  kHttp2QueuedFrames,
  kHttp2StalledStreams,
  kHttp2UnreadStreams,
  kCount,
};
std::string_view NameOf(Limit limit);

// How often each was hit.
class LimitHits {
 public:
  void Add(Limit limit) { counts_[static_cast<size_t>(limit)].Add(); }
  uint64_t Read(Limit limit) const { return counts_[static_cast<size_t>(limit)].Read(); }

 private:
  std::array<Counter, static_cast<size_t>(Limit::kCount)> counts_;
};

// How a TLS handshake ended.
enum class TlsResult : uint8_t { kOk, kProtocol, kCertificate, kAlert, kTimeout, kGone, kCount };
std::string_view NameOf(TlsResult result);
TlsResult TlsResultOf(Fault fault);  // kNone: it went well

// Handshakes of one side.
struct TlsCounters {
  std::array<Counter, static_cast<size_t>(TlsResult::kCount)> results;
  Counter tls12, tls13;  // agreed on
  Counter resumed;       // of an earlier session

  void Add(Fault fault) { results[static_cast<size_t>(TlsResultOf(fault))].Add(); }
  void AddAgreed(std::string_view version, bool was_resumed) {
    (version == "TLSv1.3" ? tls13 : tls12).Add();
    if (was_resumed) resumed.Add();
  }
};

// What full handshakes with servers proved by a staple; kNotAsked stands for all others.
using OcspStaples = std::array<Counter, static_cast<size_t>(OcspStaple::kCount)>;
std::string_view NameOf(OcspStaple staple);

// Why proxy_auth let nobody through.
enum class AuthRefusal : uint8_t {
  kMissing,    // no credential, no certificate, no known address
  kMalformed,  // no credential could be made of it
  kWrong,
  kThrottled,
  kBusy,
  kCount,
};
std::string_view NameOf(AuthRefusal refusal);

// Requests that proxy_auth looked at: by whom it took them for, or why not.
struct AuthCounters {
  std::array<Counter, static_cast<size_t>(AuthBy::kCount)> accepted;  // kNobody: as nobody, where that is allowed
  std::array<Counter, static_cast<size_t>(AuthRefusal::kCount)> refused;
};

// What came of asking an outside service about a request.
enum class AuthzResult : uint8_t {
  kAllowed,
  kDenied,
  kError,       // no answer, or none that can be carried out: refused
  kFailedOpen,  // no answer, and it went on, as the configuration says
  kCount,
};
std::string_view NameOf(AuthzResult result);

struct WorkerCounters {
  Counter connections;
  Gauge connections_active;
  Counter handed_over;  // accepted, and given to a worker with less to carry
  Counter requests;
  Gauge exchanges_active;
  std::array<Counter, 6> responses;  // by status class; [0]: none was sent
  Counter tunnels;
  Gauge tunnels_active;
  std::array<Counter, static_cast<size_t>(Fault::kCount)> failures;
  LimitHits limit_hits;
  TlsCounters client_tls, upstream_tls;
  std::array<Counter, static_cast<size_t>(LeafRefusal::kCount)> leaf_refusals;
  OcspStaples ocsp_staples;  // of origins and parents
  TlsCounters inside_tls;    // with clients, in tunnels that are inspected
  Gauge overload_level;      // of Overload
  OverloadActions overload_actions;
  BodyRewrites body_rewrites;
  AuthCounters auth;
  std::array<Counter, static_cast<size_t>(AuthzResult::kCount)> ext_authz;
  Counter received_bytes, sent_bytes;  // of clients, on the wire
  Counter upstream_connections, upstream_reused;
  Counter spurious_proxy_authorization;  // credentials for a proxy, sent inside a tunnel
  SizeHistogram request_size, response_size;
  DurationHistogram request_duration, tunnel_duration, connect_duration, dns_duration, inspect_duration,
      ext_authz_duration;
};

}  // namespace egret
