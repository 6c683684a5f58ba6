// The one key of all leaves of a CA: certificates differ, the key behind them need not.
#pragma once

#include "source/tls/certificates.h"

namespace egret {

// A fresh key on P-256.
KeyPtr MakeLeafKey();

}  // namespace egret
