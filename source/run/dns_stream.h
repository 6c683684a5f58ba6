// The socket at which questions of DNS come out of the fence over TCP (RFC 7766).
#pragma once

#include "source/event/task.h"
#include "source/run/stand_ins.h"

namespace egret {

// Answers whoever connects, for ever: bounded in number, and in how long each is waited for. `fd`: listens,
// non-blocking; `names` outlives it.
Task<void> AnswerAllStreams(int fd, StandIns& names);

}  // namespace egret
