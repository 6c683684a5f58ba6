// Content codings (RFC 9110 8.4) that can be taken off: gzip and deflate.
#pragma once

#include <memory>
#include <string_view>

#include "source/http/content_edit.h"

namespace egret {

// Takes the coding of this name off; null: not one that is known. What decodes to far more than it is (a decompression
// bomb) is malformed, as is what ends before its own end; what stands behind that end is left out.
std::unique_ptr<ContentEdit> MakeDecoder(std::string_view coding);

}  // namespace egret
