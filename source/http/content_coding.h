// Content codings (RFC 9110 8.4): gzip and deflate can be taken off, gzip can be put on.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "source/http/content_edit.h"

namespace egret {

// Takes the coding of this name off; null: not one that is known. What decodes to far more than it is (a decompression
// bomb) is malformed, as is what ends before its own end; what stands behind that end is left out.
std::unique_ptr<ContentEdit> MakeDecoder(std::string_view coding);

// One member of gzip (RFC 1952), made for speed rather than size. For what is at hand as a whole, at most 1 GiB.
std::string Gzip(std::string_view content);

}  // namespace egret
