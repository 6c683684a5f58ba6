// What taps capture, told loudly: whoever looks at the proxy sees that somebody looks at its clients.
#pragma once

#include <cstddef>

#include "source/event/task.h"
#include "source/server/admin.h"
#include "source/server/server_view.h"

namespace egret {

// How many capture now.
size_t TapsOpen(const ServerView& server);

Task<AdminReply> Taps(const ServerView& server, const AdminRequest& request);

}  // namespace egret
