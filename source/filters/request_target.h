// Where a request wants to go, made canonical once from its target and its place (RFC 9112 3.2).
#pragma once

#include "source/chain/exchange.h"
#include "source/filters/http_connection.h"

namespace egret {

// Sets exchange.target and exchange.secure. kNone, or why the request cannot be served here.
Fault ResolveTarget(Exchange& exchange, const HttpConnectionOptions& options);

}  // namespace egret
