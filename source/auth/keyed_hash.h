// What stands for a secret where it has to be remembered: its HMAC under a key that this process made and tells nobody.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace egret {

class KeyedHash {
 public:
  using Value = std::array<uint8_t, 32>;

  KeyedHash();  // with a key of its own

  // Of the pieces, each with its length, so that none can reach into the next. Thread-safe.
  Value Of(std::initializer_list<std::string_view> pieces) const;

 private:
  Value key_;
};

}  // namespace egret
