// Pages of numbers: all that is counted, for people, programs and Prometheus.
#pragma once

#include "source/server/admin.h"
#include "source/server/server_view.h"

namespace egret {

// Both are of the table in pages.cc; both arguments outlive the task.
Task<AdminReply> Stats(const ServerView& server, const AdminRequest& request);
Task<AdminReply> StatsPrometheus(const ServerView& server, const AdminRequest& request);

}  // namespace egret
