// Of the library's older kind of key, and so with functions that it would rather not have used: to put a key of the
// newer kind into a certificate, OpenSSL 3.0 looks for an encoder and then for a decoder again, each time. That takes
// 300 µs, and this 11 µs.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "source/tls/leaf_key.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>

#include "source/base/check.h"
#include "source/tls/key_memory.h"

namespace egret {

KeyPtr MakeLeafKey() {
  const KeyScope guarded;
  EC_KEY* const curve_key = EC_KEY_new_by_curve_name(NID_X9_62_prime256v1);
  KeyPtr key(EVP_PKEY_new());
  CHECK(curve_key != nullptr && EC_KEY_generate_key(curve_key) == 1);
  CHECK(key != nullptr && EVP_PKEY_assign_EC_KEY(key.get(), curve_key) == 1);
  UseOnce(key.get());
  return key;
}

}  // namespace egret
