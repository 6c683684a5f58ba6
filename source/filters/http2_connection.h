// What http_connection does on a connection that speaks HTTP/2: each stream is a task that takes its request in and
// serves it like any other; a CONNECT's tunnel runs in the stream's task, and no stream's end touches another.
#pragma once

#include "source/chain/connection.h"
#include "source/event/task.h"
#include "source/filters/http_connection.h"

namespace egret {

// Ends with the connection, and when all its streams' tasks have ended. All must outlive the task.
Task<void> ServeHttp2(Connection& connection, const HttpConnectionOptions& options, const HttpFilters& filters);

}  // namespace egret
