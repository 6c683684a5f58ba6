// The name that a tunnel to an address shows in its ClientHello. It has to be allowed itself and to resolve to that
// address, or the address would be a way round the rules for names.
#pragma once

#include "source/chain/connection.h"
#include "source/event/task.h"
#include "source/policy/stack.h"

namespace egret {

// Whether the connection is such a tunnel.
bool ShowsName(const Connection& connection);

// Resolves the name, unless the policies deny it anyway, and adds it to the binding for stages H and R. False: the
// tunnel was refused, and the record says why.
Task<bool> LearnShownName(Connection& connection, const PolicyStack& stack);

}  // namespace egret
