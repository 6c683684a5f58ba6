// Decisions and the access log, followed by an operator for as long as he stays connected.
#pragma once

#include "source/event/task.h"
#include "source/server/admin.h"
#include "source/server/server_view.h"

namespace egret {

// Lines of JSON as they come, of what the query asks for. Where some were lost, {"event":"dropped","count":N}.
Task<AdminReply> Decisions(const ServerView& server, const AdminRequest& request);
Task<AdminReply> Tail(const ServerView& server, const AdminRequest& request);

}  // namespace egret
