// Complete head blocks into heads. HeadScanner has passed the block; llhttp, strict, gives the second opinion: what
// either of them refuses is refused, so nothing on which two parsers differ is ever forwarded.
#pragma once

#include <string_view>

#include "source/base/failure.h"
#include "source/http/framing.h"
#include "source/http/head.h"

namespace egret {

// `block` is what HeadScanner found, its empty line included; copied once into `head`. kNone and where the content
// ends, or the fault to answer with; `head` then holds what could be read, path being the raw target. In a good head
// the target is split (target.h) and the path never empty: "/" before a bare query, "*" for OPTIONS of a bare
// authority.
Fault ParseRequestHead(std::string_view block, Head& head, Framing& framing);

// kNone, kUpstreamMalformed or kUpstreamFraming.
Fault ParseResponseHead(std::string_view block, AnswerTo request, Head& head, Framing& framing);

// The method in static text, if it is one that Egret speaks: llhttp's list, without PRI. Empty otherwise.
std::string_view KnownMethod(std::string_view method);

}  // namespace egret
