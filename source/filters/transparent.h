// The decision about a connection that never meant to speak to a proxy: its destination is where it wanted to go and
// the name that its ClientHello shows, or the name that the address it wanted stands for (StandInNames). Everything is
// decided before anything is dialled.
#pragma once

#include "source/chain/connection.h"
#include "source/event/task.h"
#include "source/policy/stack.h"

namespace egret {

// Of a connection with an original destination and no binding; `connection` and `stack` outlive the task. True: it may
// go on. Where tls_inspector has not looked yet, only the loop guard has judged. Clear HTTP has `judge_requests` set:
// each request's Host is judged by itself. Anything else has stages T, A and H behind it, and is dialled. False: it was
// refused (and told so), or its destination was not reached.
Task<bool> DecideTransparent(Connection& connection, const PolicyStack& stack);

}  // namespace egret
