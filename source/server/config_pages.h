// The page that says, resource by resource, what is in force and what is not, and why.
#pragma once

#include "source/event/task.h"
#include "source/server/admin.h"
#include "source/server/server_view.h"

namespace egret {

// Without the configuration itself, which may be large.
Task<AdminReply> ConfigStatus(const ServerView& server, const AdminRequest& request);

}  // namespace egret
