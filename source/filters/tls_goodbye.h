// The end of a connection whose TLS handshake failed.
#pragma once

#include "source/base/failure.h"
#include "source/event/task.h"
#include "source/tls/tls_stream.h"

namespace egret {

// Lets the alert that says why arrive, where somebody is there to hear it: what the peer sent meanwhile is read and
// thrown away, or the kernel would answer with a reset that takes the alert with it.
Task<void> SayWhy(TlsStream& tls, Failure why);

}  // namespace egret
