// Bytes that were already taken (a peeked ClientHello, what followed a CONNECT), then the stream below.
#pragma once

#include <memory>
#include <string>

#include "source/io/stream.h"

namespace egret {

// `stream` itself where there is nothing to put before it.
std::unique_ptr<Stream> WithPrefix(std::string prefix, std::unique_ptr<Stream> stream);

}  // namespace egret
