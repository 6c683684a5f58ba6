// What DNS says behind the fence (RFC 1035): every name has addresses, those that stand for it; nothing else is known
// of any. So no name is told to anybody outside before something is to be reached by it.
#pragma once

#include <string>
#include <string_view>

#include "source/run/stand_ins.h"

namespace egret {

// The answer to a query as it came in a datagram; empty: it is none that can be answered. `localhost` and what is below
// it (RFC 6761 6.3) are loopback.
std::string AnswerDns(std::string_view query, StandIns& names);

}  // namespace egret
