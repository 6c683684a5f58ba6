// What happens to a received request before its chain, over either protocol version: what is meant for us is taken off,
// its target made canonical, and it is written down for the log.
#pragma once

#include <string>
#include <string_view>

#include "source/chain/serve.h"
#include "source/filters/http_connection.h"

namespace egret {

// Takes it in and serves it, or refuses it.
Task<ServeEnd> TakeAndServe(Exchange& exchange, const HttpConnectionOptions& options, const HttpFilters& filters);

// Answers with a reply of ours, where the fault has one.
Task<ServeEnd> RefuseRequest(Exchange& exchange, Failure why);

// A request target that was refused, without what it may hold of secrets: userinfo and query.
std::string Loggable(std::string_view target);

// What a request says of itself, into its record.
void DescribeRequest(const Exchange& exchange, const Head& head, ExchangeRecord& record);

}  // namespace egret
