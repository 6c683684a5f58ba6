#include "source/tls/pem_blocks.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>
#include <string_view>

namespace egret {
namespace {

struct Free {
  void operator()(void* memory) const { OPENSSL_free(memory); }
  void operator()(X509* certificate) const { X509_free(certificate); }
};

// Without what OpenSSL's own form says besides of whom to believe for what.
std::string WithoutTrust(const unsigned char* bytes, long size) {
  const std::unique_ptr<X509, Free> certificate(d2i_X509_AUX(nullptr, &bytes, size));
  unsigned char* out = nullptr;
  const int length = certificate ? i2d_X509(certificate.get(), &out) : -1;
  const std::unique_ptr<unsigned char, Free> owner(out);
  return length > 0 ? std::string(reinterpret_cast<char*>(out), static_cast<size_t>(length)) : std::string();
}

}  // namespace

CertificateBlocks ReadCertificateBlocks(BIO* pem) {
  CertificateBlocks read;
  char *name = nullptr, *header = nullptr;
  unsigned char* bytes = nullptr;
  ERR_clear_error();
  for (long size = 0; PEM_read_bio(pem, &name, &header, &bytes, &size) == 1;) {
    const std::unique_ptr<char, Free> name_owner(name), header_owner(header);
    const std::unique_ptr<unsigned char, Free> bytes_owner(bytes);
    const std::string_view kind = name;
    if (kind == PEM_STRING_X509 || kind == PEM_STRING_X509_OLD)
      read.certificates.emplace_back(reinterpret_cast<char*>(bytes), static_cast<size_t>(size));
    if (kind == PEM_STRING_X509_TRUSTED) read.certificates.push_back(WithoutTrust(bytes, size));
  }
  read.whole = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  std::erase(read.certificates, std::string());
  return read;
}

}  // namespace egret
