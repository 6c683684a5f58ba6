// Where a request wants to go, made canonical once from its target and its place (RFC 9112 3.2).
#pragma once

#include "source/chain/exchange.h"
#include "source/filters/http_connection.h"

namespace egret {

// Sets exchange.target. kNone, or why the request cannot be served here.
Fault ResolveTarget(Exchange& exchange, HttpConnectionOptions::Target mode);

}  // namespace egret
