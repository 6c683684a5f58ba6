// A configuration as it may be shown: whatever can hold a secret is left out or masked.
#pragma once

#include "egret/config/v1/bootstrap.pb.h"

namespace egret {

// Of a Secret the name stays. Values that header_rewrite writes and texts that body_rewrite looks for and puts in are
// "***", all of them: which one is a key only its owner knows.
config::v1::Bootstrap Redacted(const config::v1::Bootstrap& bootstrap);

}  // namespace egret
