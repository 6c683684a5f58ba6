// Says at compile time whether AddressSanitizer is on: pools then hand out fresh memory, so that a use after free is
// seen.
#pragma once

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define EGRET_ASAN 1
#endif
#endif
