// Connection: a stream and the plain facts learned about it so far. The session (or the tunnel) owns it; a filter
// replaces `stream` in place. A tunnel gets a child of its own, which copies from its parent and points to nothing
// above.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "source/base/ip.h"
#include "source/chain/takeover.h"
#include "source/chain/worker.h"
#include "source/io/relay.h"
#include "source/io/stream.h"
#include "source/policy/policy.h"
#include "source/tls/tls_alert.h"
#include "source/tls/tls_context.h"
#include "source/tls/tls_facts.h"
#include "source/upstream/dialled.h"

namespace egret {

// A connection's place among those of its source, where these are limited.
class SourcePlace {
 public:
  virtual ~SourcePlace() = default;
  // Somebody else stands behind it, and it counts as theirs from here on. False: they have as many as they may.
  virtual bool MoveTo(const IpAddress& source) = 0;
};

// How what was decrypted goes on to its origin.
struct OriginTls {
  std::shared_ptr<const TlsClientContext> context;  // whom to believe, what to show
  std::vector<std::string> alpn;  // what is offered, in order of preference; empty: ALPN is not spoken
};

// Why whatever is asked on a connection is refused, known before anything could be asked.
struct Refusal {
  Failure failure;
  std::string tls_detail = {};            // why a handshake failed, in the TLS library's words
  std::optional<Decision> decision = {};  // where it was one
};

struct Connection {
  // How deep tunnels may stand in tunnels.
  static constexpr uint8_t kMaxDepth = 4;

  Connection(Worker& on, std::unique_ptr<Stream> accepted)
      : worker(on), ends(on.EndsOf(nullptr)), stream(std::move(accepted)) {}

  // From here on it is one of this listener's.
  void RunBy(std::shared_ptr<const ListenerChains> chains) {
    ends = worker.EndsOf(chains.get());
    listener = std::move(chains);
  }

  Worker& worker;
  std::shared_ptr<const ListenerChains> listener;  // whose chains it runs
  std::shared_ptr<ConnectionEnds> ends;            // how it is told to end
  std::unique_ptr<Stream> stream;
  Endpoint peer;                             // the client's address, of the outermost connection
  Endpoint local;                            // the address it was accepted on
  SourcePlace* source_place = nullptr;       // of an accepted one; outlives it
  std::shared_ptr<const Identity> identity;  // null: anonymous
  std::optional<PolicyStack> policies;       // those of the first egress_policy that was met
  std::shared_ptr<const TlsFacts> tls;       // of the client's own TLS to the proxy; null: in clear
  uint8_t depth = 0;                         // tunnels around it

  // A transparent listener's connection only: where it wanted to go.
  std::optional<Endpoint> original_destination;
  bool judge_requests = false;  // ... and it speaks clear HTTP: each request is decided on by itself

  // A tunnel's, from its CONNECT on; a transparent connection's, once that is decided on.
  std::optional<Target> target;
  std::optional<Binding> binding;   // what was dialled for it, for later stages and for revocation
  std::optional<Dialled> upstream;  // dialled and checked, not yet written to
  RelayLimits relay_limits;
  bool reserved = false;      // not dialled: only inspection may come of it, and a connection to share is there
  bool speaks_http1 = false;  // the destination, as a request of HTTP/2 in clear has found out
  // Where what it carries came out of TLS that was meant for the destination: requests are https.
  std::optional<OriginTls> origin_tls;
  std::string_view decrypted_alpn;         // what that TLS agreed on: "h2", "http/1.1"
  std::unique_ptr<const Refusal> refusal;  // each request gets it, and nothing is dialled
  RecordHolder record;                     // the tunnel's; none where requests tell of it
  std::string parent_id;                   // request id of the CONNECT

  bool decrypted() const { return origin_tls.has_value(); }

  // Learned by tls_inspector; unknown until then.
  std::optional<Protocol> protocol;
  std::string sni;  // empty: none was sent
  std::vector<std::string> alpn;
  bool ech = false;                         // encrypted_client_hello is there, real or noise (RFC 9849 6.2)
  std::shared_ptr<const HelloFacts> hello;  // null: nobody asks for them, or it is no TLS

  // What the TLS that the bytes of this connection came out of agreed on: "h2", "http/1.1"; empty: nothing, or they
  // came in clear. The client's TLS to the proxy is not around what is in a tunnel.
  std::string_view alpn_selected() const {
    if (decrypted()) return decrypted_alpn;
    return tls != nullptr && depth == 0 ? std::string_view(tls->alpn) : "";
  }

  // Given by egress_policy at stage H; at most one.
  std::optional<RelayPermit> relay_permit;
  std::optional<InspectPermit> inspect_permit;

  // Left by a terminal filter: what its stream turns into, once the chain has unwound.
  Handover handover;
};

// What is known of the connection, for a decision; request facts are left unknown. Refers to the connection.
Facts FactsOf(const Connection& connection);

std::string_view NameOf(Protocol protocol);  // "tls", "http", "other"

// Writes who came, and where, into a record.
void Describe(const Connection& connection, ExchangeRecord& record);

// A transparent connection gets a record of its own, where it has none yet: from here on it is a tunnel.
void StartRecord(Connection& connection);

// Whether a name's own address is not enough: what is dialled has to be where the connection wanted to go.
bool MustDialOriginal(const Connection& connection);

// What the connection goes on as, with its stream, once its chains have run.
Handover TakeHandover(Connection& connection);

// Runs the connection's chains from the listener's filters on.
[[clang::coro_wrapper]] Task<void> RunConnection(Connection& connection);
// The same, then whatever the stream turned into: what the chains needed is gone before it is a tunnel.
Task<void> RunWhole(std::unique_ptr<Connection> connection);

// Ends a tunnel that is refused after its CONNECT was answered, so that the client learns why where its protocol has
// words for it: a TLS alert, a 403, else a close. Records the failure.
Task<void> RefuseTunnel(Connection& connection, Failure why, TlsAlert alert = TlsAlert::kAccessDenied);
// The same for a denial. TLS that a chain of the listener would decrypt is decrypted, and has the whole page inside.
// The decision need not outlive the call.
[[clang::coro_wrapper, clang::coro_disable_lifetimebound]] Task<void> RefuseTunnel(Connection& connection,
                                                                                   const Decision& decision);

}  // namespace egret
