// Says at compile time whether AddressSanitizer is on (pools then hand out fresh memory, so that a use after free is
// seen), and whether any sanitizer is.
#pragma once

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define EGRET_ASAN 1
#endif
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer) || \
    __has_feature(undefined_behavior_sanitizer)
#define EGRET_SANITIZED 1
#endif
#endif
