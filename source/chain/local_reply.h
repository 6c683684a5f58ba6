// The one place where a failure or a denial becomes a response: status, Proxy-Status (RFC 9209) and a short text that
// says which rule decided and what would help. The record is told the same.
#pragma once

#include <string_view>

#include "source/chain/exchange.h"
#include "source/chain/response.h"

namespace egret {

// For a failure. One without a status (the client is gone) ends the exchange, and the reply is never sent.
Response LocalReply(Exchange& exchange, Failure why);

// For a denial or a challenge; records the decision.
Response DenialReply(Exchange& exchange, const Decision& decision);

// For what a filter refuses by itself, in the words of a denial: the rule is the filter, and the reason the fault's
// detail, in reply, log and metrics. `message`: for whom it concerns.
Response FilterReply(Exchange& exchange, Fault fault, std::string_view filter, std::string_view message = {});

// Puts the decision into the record; one that leaves nothing open is counted, and told to those who follow decisions.
void RecordDecision(Worker& worker, ExchangeRecord& record, const Decision& decision);

// A response without a cause, for what the proxy itself serves. `content_type`: a literal.
Response PlainReply(int status, std::string_view text, std::string_view content_type = "text/plain; charset=utf-8");

}  // namespace egret
