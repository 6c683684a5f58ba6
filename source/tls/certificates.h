// PEM text to certificates, keys and trust, with errors that say what is wrong with which part. For the compiler of
// configurations; nothing here touches the data path.
#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "source/base/result.h"

namespace egret {

template <auto kFree>
struct FreeWith {
  template <class T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using X509Ptr = std::unique_ptr<X509, FreeWith<X509_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;
using StorePtr = std::unique_ptr<X509_STORE, FreeWith<X509_STORE_free>>;

// A leaf, its intermediates and its key, as PEM.
struct TlsKeyPair {
  std::string name;  // for errors and metrics
  std::string certificate_pem = {};
  std::string key_pem = {};
};

// Whom to believe, as PEM.
struct TlsTrust {
  std::string roots_pem = {};  // may be empty where the system's are believed
  bool system_roots = false;   // the system's root certificates as well
  std::string crl_pem = {};    // empty: revocation is not looked at; else there has to be a list of each CA in a chain
};

// When a certificate of ours ends.
struct TlsExpiry {
  std::string name;            // of the key pair or the CA
  int64_t not_after;           // seconds since 1970; of a CA, the earliest in its chain
  std::string ca_sha256 = {};  // of a CA: its fingerprint, 64 hex digits in lower case
};

// Of a PEM text: at least one. Other blocks are passed over.
Result<std::vector<X509Ptr>, Problem> ParseCertificates(std::string_view pem);
Result<KeyPtr, Problem> ParseKey(std::string_view pem);

// A store that believes `trust`, an intermediate among its roots too.
Result<StorePtr, Problem> MakeStore(const TlsTrust& trust);

// The system's root certificates, as PEM; empty where there is no one file of them.
std::string SystemRootsPem();

// The names for which a server's certificate is good: its DNS names, lower case, those that are well-formed.
std::vector<std::string> NamesOf(X509* certificate);
// Its beginning and its end, in seconds since 1970.
int64_t NotBefore(const X509* certificate);
int64_t NotAfter(const X509* certificate);
std::string PemOf(X509* certificate);
std::string PemOf(EVP_PKEY* key);  // in clear

}  // namespace egret
