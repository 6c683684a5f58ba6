// What an intermediary does to the fields of a message that it passes on (RFC 9110 7.6), and Date.
#pragma once

#include <string_view>

#include "source/base/failure.h"
#include "source/http/head.h"

namespace egret {

// Removes what the Connection field names and all that is hop-by-hop; of TE only `trailers` stays. A Connection that
// names a field which it must not remove (framing, routing, credentials, marks of a proxy) is refused: a request (its
// status is 0) with kHttpConnectionField, a response with kUpstreamMalformed. What an exchange needs of Connection and
// Upgrade is read before. Expect stays.
Failure StripHopByHop(Head& head);

// The protocol that a request offers to switch to: an extended CONNECT's (RFC 8441); the first one of Upgrade, if
// Connection names it and the request is HTTP/1.1 (RFC 9110 7.8); else empty. A slice of the head's own memory.
std::string_view WantedUpgrade(const Head& request);

// Adds "1.1 pseudonym", with the version in which the message was received.
void AddVia(Head& head, std::string_view pseudonym);
// Whether some Via element was added under that name.
bool ViaHas(const Head& head, std::string_view pseudonym);

// Adds Date where a response lacks it (RFC 9110 6.6.1).
void EnsureDate(Head& response);

}  // namespace egret
