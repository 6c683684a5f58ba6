// HTTP/1.1 to a proxy, in clear or over TLS: one outstanding operation a connection.
#pragma once

#include <memory>

#include "tools/bench/load_run.h"

namespace egret::bench {

std::unique_ptr<Client> MakeHttp1Client(Run& run);

}  // namespace egret::bench
