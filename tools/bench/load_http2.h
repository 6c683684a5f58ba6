// HTTP/2 to a proxy, in clear by prior knowledge: as many operations outstanding as the plan has streams.
#pragma once

#include <memory>

#include "tools/bench/load_run.h"

namespace egret::bench {

std::unique_ptr<Client> MakeHttp2Client(Run& run);

}  // namespace egret::bench
