#include "source/auth/keyed_hash.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <string>

#include "source/base/check.h"

namespace egret {

KeyedHash::KeyedHash() { CHECK(RAND_bytes(key_.data(), static_cast<int>(key_.size())) == 1); }

KeyedHash::Value KeyedHash::Of(std::initializer_list<std::string_view> pieces) const {
  std::string text;
  for (const std::string_view piece : pieces) {
    const uint64_t size = piece.size();
    text.append(reinterpret_cast<const char*>(&size), sizeof size).append(piece);
  }
  Value out;
  const auto* const bytes = reinterpret_cast<const unsigned char*>(text.data());
  CHECK(HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()), bytes, text.size(), out.data(), nullptr) !=
        nullptr);
  return out;
}

}  // namespace egret
