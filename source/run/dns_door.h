// The socket at which questions of DNS come out of the fence.
#pragma once

#include "source/event/task.h"
#include "source/run/stand_ins.h"

namespace egret {

// Answers what has come so far. `fd`: of datagrams, non-blocking.
void AnswerQuestions(int fd, StandIns& names);
// For ever; `names` outlives it.
Task<void> AnswerAllQuestions(int fd, StandIns& names);

}  // namespace egret
