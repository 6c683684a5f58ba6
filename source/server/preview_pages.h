// A candidate policy beside the one in force, for as long as whoever sent it stays connected.
#pragma once

#include <cstddef>

#include "source/event/task.h"
#include "source/server/admin.h"
#include "source/server/server_view.h"

namespace egret {

inline constexpr size_t kMostCandidate = size_t{32} << 20;

// The content is a Resources message with policies and domain_sets, YAML or JSON. Refused with 422 and
// {"errors":[{"field","value","why","remedy","text"}]}; else lines of JSON:
//   {"event":"begin","for_ms":N}
//   {"event":"change","who","target","method","stage","live":{"verdict","policy","rule"},"candidate":{...},
//    "count":N,"first_unix":N,"last_unix":N}           `count` since the last line of the same
//   {"event":"so_far","decisions":N,"skipped":N,"overflow":N}
//   {"event":"end", the same}                          its time is over
Task<AdminReply> PreviewCandidate(const ServerView& server, const AdminRequest& request);

}  // namespace egret
