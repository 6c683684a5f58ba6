// Text that nobody may read once it is no longer needed: its memory is wiped when it dies. It has no way into a stream,
// a log or JSON but `text()`; what is copied from there is not wiped.
#pragma once

#include <string.h>

#include <string>
#include <string_view>
#include <vector>

namespace egret {

class SecretText {
 public:
  // Wipes what it was given.
  explicit SecretText(std::string text) : octets_(text.begin(), text.end()) {
    explicit_bzero(text.data(), text.size());
  }
  SecretText(SecretText&&) noexcept = default;
  SecretText& operator=(SecretText&&) = delete;
  ~SecretText() {
    if (!octets_.empty()) explicit_bzero(octets_.data(), octets_.size());
  }

  std::string_view text() const { return {octets_.data(), octets_.size()}; }

 private:
  std::vector<char> octets_;  // a short string would lie in the object itself, and stay behind when it moves
};

}  // namespace egret
