// Where private keys lie: in pages that no core dump has (MADV_DONTDUMP) and that are wiped as they are given back.
#pragma once

#include <openssl/types.h>

namespace egret {

// From here on OpenSSL asks us for memory; what is no key goes on to the functions that it was given before, if any. To
// be called once, before anything of it is used; false: it was too late, or there are no such pages, and keys lie where
// everything lies. With sanitizers they always do.
bool SetUpKeyMemory();

// While one lives, whatever OpenSSL allocates on this thread lies there. For what reads or makes a private key.
class KeyScope {
 public:
  KeyScope();
  ~KeyScope();
  KeyScope(const KeyScope&) = delete;
  KeyScope& operator=(const KeyScope&) = delete;
};

// Signs with a private key, for nothing: copies that the library makes of it at its first use, and keeps, lie there.
void UseOnce(EVP_PKEY* key);

}  // namespace egret
