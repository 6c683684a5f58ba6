// Pages about what the workers have open. Each asks them by a post and puts the answers together.
#pragma once

#include "source/server/admin.h"
#include "source/server/server_view.h"

namespace egret {

// All are of the table in pages.cc; both arguments outlive the task.
Task<AdminReply> Listeners(const ServerView& server, const AdminRequest& request);
Task<AdminReply> Clusters(const ServerView& server, const AdminRequest& request);
Task<AdminReply> Inspection(const ServerView& server, const AdminRequest& request);
Task<AdminReply> Connections(const ServerView& server, const AdminRequest& request);
Task<AdminReply> EndConnection(const ServerView& server, const AdminRequest& request);

}  // namespace egret
