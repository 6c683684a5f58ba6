// A parent proxy: the connection to it, and asking it for a tunnel. Where it speaks HTTP/2 all tunnels and requests of
// a worker are streams of connections that they share; else each tunnel has a connection of its own.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "source/base/failure.h"
#include "source/base/ip.h"
#include "source/event/task.h"
#include "source/io/dial.h"
#include "source/io/resolver.h"
#include "source/io/stream.h"
#include "source/tls/tls_stream.h"
#include "source/upstream/next_hop.h"
#include "source/upstream/pool.h"
#include "source/upstream/tls_handshake.h"

namespace egret {

// Which parent, and what it takes to get there. All outlive the tasks that use it.
struct ParentAccess {
  const NextHop& hop;
  Resolver& resolver;
  UpstreamPool& pool;
  const DialOptions& options;
};

// A connection to the parent, inside TLS where the hop has it.
struct ParentLink {
  std::unique_ptr<Stream> stream;  // null: none
  const TlsStream* tls = nullptr;  // the same, where it is TLS
  Endpoint peer;
  Fault fault = Fault::kNone;
  std::vector<DialAttempt> failed;
  std::vector<TlsOutcome> handshakes;
};

// `http2`: offered, where the hop allows it.
Task<ParentLink> ReachParent(const NextHop& hop, Resolver& resolver, const DialOptions& options, bool http2);

struct Answer {
  Fault fault = Fault::kNone;
  int status = 0;
};

// What asking the parent for a tunnel came to.
struct Asked {
  std::unique_ptr<Stream> stream;  // the tunnel; null: none
  Endpoint parent;
  Answer answer;
  bool parent_reached = false;
  std::vector<TlsOutcome> handshakes;
};

// `via`: the request's, so that a circle of proxies is found out; may be empty. The caller bounds the time.
Task<Asked> AskParent(const ParentAccess& access, std::string authority, const std::string& via);

}  // namespace egret
