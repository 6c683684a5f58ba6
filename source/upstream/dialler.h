// Turns a permit into a connection: straight to one of the vetted addresses, or through a parent proxy.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "source/io/dial.h"
#include "source/io/resolver.h"
#include "source/upstream/dialled.h"
#include "source/upstream/next_hop.h"
#include "source/upstream/pool.h"

namespace egret {

struct DialOutcome {
  std::optional<Dialled> dialled;
  Fault fault = Fault::kNone;
  std::vector<DialAttempt> failed;
  std::vector<TlsOutcome> handshakes;  // with a parent
};

class Dialler {
 public:
  // Dials the permit's addresses.
  static Task<DialOutcome> Direct(DialPermit permit, DialOptions options);
  // A tunnel through the parent to what the permit allows: one of its vetted addresses, tried as DialAny does, or the
  // name where the parent resolves it. `hop`, `resolver` and `pool` must outlive the task; the pool keeps what tunnels
  // share. `via`: the request's Via, so that a circle of proxies is found out.
  [[clang::coro_wrapper]] static Task<DialOutcome> Tunnel(DialPermit permit, const NextHop& hop, Resolver& resolver,
                                                          UpstreamPool& pool, DialOptions options,
                                                          std::string via = {});
  // The parent itself, for requests in absolute-form: only with a permit that says that the parent resolves. `http2`:
  // may be agreed on.
  static Task<DialOutcome> Parent(DialPermit permit, const NextHop& hop, Resolver& resolver, DialOptions options,
                                  bool http2);

 private:
  static Task<DialOutcome> TunnelToName(DialPermit permit, const NextHop& hop, Resolver& resolver, UpstreamPool& pool,
                                        DialOptions options, std::string via);
  static Task<DialOutcome> TunnelToAddress(DialPermit permit, const NextHop& hop, Resolver& resolver,
                                           UpstreamPool& pool, DialOptions options, std::string via);
};

}  // namespace egret
