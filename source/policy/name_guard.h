// The name guard at stage H: the name that a ClientHello shows has to be that of the tunnel. It only refuses; no order
// and no audit outranks it, and a rule lifts it for the names that it gives alone (`without_sni`, `ech_outer_names`).
#pragma once

#include "source/base/failure.h"
#include "source/policy/evaluate.h"
#include "source/policy/match.h"
#include "source/policy/permit.h"

namespace egret {

// kNone: nothing is against it. `shown`: of a tunnel to an address, the name that it shows, resolved; null: unknown.
//
// A literal has no name of its own: none need be shown there, and one that is has to resolve to it. With ECH the name
// in the open is that of whoever serves many (RFC 9849 4.1); noise in the extension is not to be told from the real
// thing, so it excuses no other name by itself.
Fault AgainstHello(const Evaluation& evaluation, const FactView& view, const ShownName* shown);

}  // namespace egret
