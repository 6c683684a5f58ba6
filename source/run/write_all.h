// Writing that does not end half-way.
#pragma once

#include <errno.h>
#include <unistd.h>

#include <string_view>

namespace egret {

// False: errno says why.
inline bool WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    text.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

}  // namespace egret
