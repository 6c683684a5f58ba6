#include "source/tls/certificates.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <utility>

#include "source/base/check.h"
#include "source/base/strings.h"
#include "source/tls/key_memory.h"
#include "source/tls/peer_certificate.h"
#include "source/tls/pem_blocks.h"

namespace egret {
namespace {

using BioPtr = std::unique_ptr<BIO, FreeWith<BIO_free>>;
using CrlPtr = std::unique_ptr<X509_CRL, FreeWith<X509_CRL_free>>;

BioPtr Reader(std::string_view pem) { return BioPtr(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))); }

// A key under a password is not asked for at a terminal: it is an error.
int NoPassword(char*, int, int, void*) { return -1; }

std::string LastError() {
  const char* const text = ERR_reason_error_string(ERR_peek_last_error());
  std::string out = text != nullptr ? text : "malformed";
  ERR_clear_error();
  return out;
}

// The reader stops at the end of the text, or at what it cannot read.
bool AtEnd() {
  const unsigned long error = ERR_peek_last_error();
  const bool end = error == 0 || (ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE);
  if (end) ERR_clear_error();
  return end;
}

// Where distributions keep the bundle.
constexpr std::array kBundles = {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
                                 "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"};

// Null: there is none.
const char* SystemBundle() {
  if (const char* const file = std::getenv("SSL_CERT_FILE")) return file;
  for (const char* const file : kBundles)
    if (access(file, R_OK) == 0) return file;
  return nullptr;
}

// All at once: looking each up in a folder would read files during handshakes.
bool AddSystemRoots(X509_STORE* store) {
  if (const char* const file = SystemBundle()) return X509_STORE_load_file(store, file) == 1;
  return X509_STORE_set_default_paths(store) == 1;
}

std::string TextIn(const BioPtr& bio) {
  const char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return std::string(text, static_cast<size_t>(size));
}

int64_t Seconds(const ASN1_TIME* time) {
  tm broken_down{};
  return ASN1_TIME_to_tm(time, &broken_down) == 1 ? timegm(&broken_down) : 0;
}

}  // namespace

Result<std::vector<X509Ptr>, Problem> ParseCertificates(std::string_view pem) {
  std::vector<X509Ptr> out;
  const BioPtr bio = Reader(pem);
  ERR_clear_error();
  while (X509* const certificate = PEM_read_bio_X509(bio.get(), nullptr, NoPassword, nullptr))
    out.emplace_back(certificate);
  if (!AtEnd()) return Problem{Cat("a certificate cannot be read: ", LastError())};
  if (out.empty()) return Problem{"no certificate in it; give PEM, beginning with -----BEGIN CERTIFICATE-----"};
  return out;
}

Result<KeyPtr, Problem> ParseKey(std::string_view pem) {
  const KeyScope guarded;
  const BioPtr bio = Reader(pem);
  ERR_clear_error();
  KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, NoPassword, nullptr));
  if (key != nullptr) {
    UseOnce(key.get());
    return key;
  }
  if (pem.find("ENCRYPTED") != std::string_view::npos) {
    ERR_clear_error();
    return Problem{"the key is encrypted; give one without a password, readable by the proxy alone"};
  }
  if (pem.find("PRIVATE KEY-----") == std::string_view::npos) {
    ERR_clear_error();
    return Problem{"no private key in it; give PEM, beginning with -----BEGIN PRIVATE KEY-----"};
  }
  return Problem{Cat("the private key cannot be read: ", LastError())};
}

Result<StorePtr, Problem> MakeStore(const TlsTrust& trust) {
  StorePtr store(X509_STORE_new());
  unsigned long flags = X509_V_FLAG_PARTIAL_CHAIN;
  if (!trust.roots_pem.empty()) {
    Result<std::vector<X509Ptr>, Problem> roots = ParseCertificates(trust.roots_pem);
    if (!roots) return Problem{Cat("roots: ", roots.error().text)};
    for (const X509Ptr& root : *roots) X509_STORE_add_cert(store.get(), root.get());
  }
  if (trust.system_roots && !AddSystemRoots(store.get()))
    return Problem{Cat("system_roots: cannot be read: ", LastError())};
  if (!trust.crl_pem.empty()) {
    const BioPtr bio = Reader(trust.crl_pem);
    size_t count = 0;
    ERR_clear_error();
    while (const CrlPtr crl{PEM_read_bio_X509_CRL(bio.get(), nullptr, NoPassword, nullptr)}) {
      X509_STORE_add_crl(store.get(), crl.get());
      ++count;
    }
    if (!AtEnd()) return Problem{Cat("crl: a list cannot be read: ", LastError())};
    if (count == 0) return Problem{"crl: no list in it; give PEM, beginning with -----BEGIN X509 CRL-----"};
    flags |= X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL;
  }
  X509_STORE_set_flags(store.get(), flags);
  ERR_clear_error();
  return store;
}

std::string SystemRootsPem() {
  const char* const file = SystemBundle();
  const BioPtr from(file != nullptr ? BIO_new_file(file, "r") : nullptr), out(BIO_new(BIO_s_mem()));
  if (!from) return {};
  // One by one: the file may hold what is no business of a client's.
  for (const std::string& der : ReadCertificateBlocks(from.get()).certificates)
    PEM_write_bio(out.get(), PEM_STRING_X509, "", reinterpret_cast<const unsigned char*>(der.data()),
                  static_cast<long>(der.size()));
  return TextIn(out);
}

std::vector<std::string> NamesOf(X509* certificate) {
  std::vector<std::string> out;
  for (std::string& name : FactsOfCertificate(certificate).dns_names) out.push_back(ToLower(name));
  return out;
}

int64_t NotBefore(const X509* certificate) { return Seconds(X509_get0_notBefore(certificate)); }

int64_t NotAfter(const X509* certificate) { return Seconds(X509_get0_notAfter(certificate)); }

std::string PemOf(X509* certificate) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  CHECK(PEM_write_bio_X509(bio.get(), certificate) == 1);
  return TextIn(bio);
}

std::string PemOf(EVP_PKEY* key) {
  const BioPtr bio(BIO_new(BIO_s_secmem()));
  CHECK(PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
  return TextIn(bio);
}

}  // namespace egret
