// What a relayed tunnel remembers of what it was allowed on, so that a newer policy can judge it again when the chain
// that made it is gone. Thousands of idle tunnels keep it, so it is small: what the tunnel's record has is not in it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "source/base/ip.h"
#include "source/chain/record.h"
#include "source/http/head.h"
#include "source/policy/policy.h"

namespace egret {

// A decision that leaves open what is open.
inline Decision Kept() {
  Decision out;
  out.verdict = Decision::Verdict::kContinue;
  return out;
}

// Of a ClientHello inside a tunnel. A fingerprint that could not be made, or that nobody asked for when the hello was
// there, stays unknown: absent, it would let pass what a DENY by fingerprint is for. The facts refer to the arguments.
void AddHello(Facts& facts, std::string_view sni, bool ech, const HelloFacts* hello);

struct LiveFacts {
  // The request that turned into it, where it was none for a tunnel: an upgrade.
  struct Asked {
    Head head;  // method, path without the query, and the fields that it was judged on
    bool secure = false;
    bool in_tunnel = false;  // then these are of the tunnel around it
    bool ech = false;
    std::string sni;
  };

  // `binding` is what was dialled. `peer` is the far end's address; none where a parent resolved the name.
  LiveFacts(Binding binding, std::optional<IpAddress> peer, PolicyStack stack, const Facts& facts,
            std::shared_ptr<const Identity> identity);

  // As Running::Reconsider(). `record` is the tunnel's.
  Decision Judge(Worker& worker, const ExchangeRecord& record) const;

  std::unique_ptr<const Asked> asked;

 private:
  Facts FactsWith(const ExchangeRecord& record, int64_t now) const;

  PolicyStack stack_;
  std::shared_ptr<const Identity> identity_;
  std::shared_ptr<const ShownName> shown_;
  std::vector<IpAddress> resolved_;  // empty: nothing but the peer
  IpAddress source_;
  std::optional<IpAddress> peer_;
  std::optional<Protocol> protocol_;
};

}  // namespace egret
