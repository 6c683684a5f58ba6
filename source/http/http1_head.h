// Complete head blocks into heads. HeadScanner has passed the block; llhttp, strict, gives the second opinion: what
// either of them refuses is refused, so nothing on which two parsers differ is ever forwarded.
#pragma once

#include <string_view>

#include "source/base/failure.h"
#include "source/http/head.h"

namespace egret {

// `block` is what HeadScanner found, its empty line included; copied once into the head that is returned in `head`.
// kNone, or the fault to answer with; `head` then holds what could be read, method and path being the raw target.
Fault ParseRequestHead(std::string_view block, Head& head);

// kNone, kUpstreamMalformed or kUpstreamFraming.
Fault ParseResponseHead(std::string_view block, Head& head);

// The method in static text, if it is one that Egret speaks: llhttp's list, without PRI. Empty otherwise.
std::string_view KnownMethod(std::string_view method);

}  // namespace egret
