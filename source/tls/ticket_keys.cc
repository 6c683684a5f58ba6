#include "source/tls/ticket_keys.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <time.h>

#include <cstring>

#include "source/base/check.h"

namespace egret {
namespace {

int64_t Now() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return now.tv_sec;
}

TicketKeys::Key FreshKey(int64_t now) {
  TicketKeys::Key key;
  CHECK(RAND_bytes(key.name.data(), static_cast<int>(key.name.size())) == 1);
  CHECK(RAND_priv_bytes(key.aes.data(), static_cast<int>(key.aes.size())) == 1);
  CHECK(RAND_priv_bytes(key.hmac.data(), static_cast<int>(key.hmac.size())) == 1);
  key.made = now;
  return key;
}

bool SetHmac(EVP_MAC_CTX* hmac, TicketKeys::Key& key) {
  char digest[] = "SHA256";
  const OSSL_PARAM params[] = {OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.hmac.data(), key.hmac.size()),
                               OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                               OSSL_PARAM_construct_end()};
  return EVP_MAC_CTX_set_params(hmac, params) == 1;
}

// -1: failed; 0: no such key, a full handshake follows; 1: good; 2: good, and the client gets a new ticket.
int UseKey(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* hmac, int encrypt) {
  constexpr int kFailed = -1, kUnknown = 0, kGood = 1, kRenew = 2;
  if (encrypt == 1) {
    TicketKeys::Key key = TicketKeys::OfProcess().Current(Now());
    std::memcpy(name, key.name.data(), key.name.size());
    const bool well = RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) == 1 &&
                      EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key.aes.data(), iv) == 1 &&
                      SetHmac(hmac, key);
    OPENSSL_cleanse(&key, sizeof key);
    return well ? kGood : kFailed;
  }
  std::optional<TicketKeys::Found> found = TicketKeys::OfProcess().Find(name, Now());
  if (!found) return kUnknown;
  const bool well = SetHmac(hmac, found->key) &&
                    EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), nullptr, found->key.aes.data(), iv) == 1;
  OPENSSL_cleanse(&found->key, sizeof found->key);
  if (!well) return kFailed;
  // In TLS 1.3 a ticket is used once, so each resumption gives the next one.
  return found->current && SSL_version(ssl) < TLS1_3_VERSION ? kGood : kRenew;
}

}  // namespace

TicketKeys& TicketKeys::OfProcess() {
  static TicketKeys keys;
  return keys;
}

TicketKeys::~TicketKeys() {
  for (Key& key : keys_) OPENSSL_cleanse(&key, sizeof key);
}

void TicketKeys::Rotate(int64_t now) {
  if (keys_.empty() || now - keys_.front().made >= kEvery.count()) keys_.push_front(FreshKey(now));
  // A key encrypts for an hour; the last session under it ends so much later.
  while (now - keys_.back().made >= (kEvery + kSessionLife).count()) {
    OPENSSL_cleanse(&keys_.back(), sizeof(Key));
    keys_.pop_back();
  }
}

TicketKeys::Key TicketKeys::Current(int64_t now) {
  const std::lock_guard lock(mutex_);
  Rotate(now);
  return keys_.front();
}

std::optional<TicketKeys::Found> TicketKeys::Find(const unsigned char* name, int64_t now) {
  const std::lock_guard lock(mutex_);
  Rotate(now);
  for (const Key& key : keys_)
    if (std::memcmp(key.name.data(), name, key.name.size()) == 0) return Found{key, &key == &keys_.front()};
  return std::nullopt;
}

size_t TicketKeys::size() const {
  const std::lock_guard lock(mutex_);
  return keys_.size();
}

void TicketKeys::Use(SSL_CTX* context) { SSL_CTX_set_tlsext_ticket_key_evp_cb(context, UseKey); }

}  // namespace egret
