// egretctl preview of the proxies of a group, by way of control planes.
#pragma once

#include <cstdint>

#include "source/ctl/candidate_folder.h"
#include "source/ctl/command.h"

namespace egret {

int PreviewGroup(const Given& given, const CandidateFolder& folder, int64_t for_seconds, Output& output);

}  // namespace egret
