#include "test/auth/jwt_issuer.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <utility>
#include <vector>

#include "source/base/base64.h"
#include "source/base/check.h"
#include "source/base/strings.h"

namespace egret {
namespace {

bool IsEc(JwtAlgorithm algorithm) { return algorithm == JwtAlgorithm::kEs256 || algorithm == JwtAlgorithm::kEs384; }

EVP_PKEY* Generate(JwtAlgorithm algorithm, int rsa_bits) {
  if (algorithm == JwtAlgorithm::kEdDsa) return EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
  if (IsEc(algorithm)) return EVP_EC_gen(algorithm == JwtAlgorithm::kEs256 ? "P-256" : "P-384");
  return EVP_RSA_gen(static_cast<unsigned>(rsa_bits));
}

std::string Number(EVP_PKEY* key, const char* name, size_t bytes = 0) {
  BIGNUM* number = nullptr;
  CHECK(EVP_PKEY_get_bn_param(key, name, &number) == 1);
  std::string out(bytes != 0 ? bytes : static_cast<size_t>(BN_num_bytes(number)), '\0');
  CHECK(BN_bn2binpad(number, reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(out.size())) >= 0);
  BN_free(number);
  return Base64Url(out);
}

const EVP_MD* Digest(JwtAlgorithm algorithm) {
  using enum JwtAlgorithm;
  if (algorithm == kEdDsa) return nullptr;
  if (algorithm == kRs384 || algorithm == kEs384) return EVP_sha384();
  return algorithm == kRs512 ? EVP_sha512() : EVP_sha256();
}

// r and s side by side.
std::string FromDer(const std::string& der, size_t bytes) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  ECDSA_SIG* const signature = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size()));
  std::string out(2 * bytes, '\0');
  auto* const to = reinterpret_cast<unsigned char*>(out.data());
  CHECK(BN_bn2binpad(ECDSA_SIG_get0_r(signature), to, static_cast<int>(bytes)) >= 0);
  CHECK(BN_bn2binpad(ECDSA_SIG_get0_s(signature), to + bytes, static_cast<int>(bytes)) >= 0);
  ECDSA_SIG_free(signature);
  return out;
}

}  // namespace

std::string Base64Url(std::string_view bytes) {
  std::string out = Base64(bytes);
  while (out.ends_with('=')) out.pop_back();
  for (char& c : out) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return out;
}

JwtIssuer::JwtIssuer(JwtAlgorithm algorithm, std::string id, int rsa_bits)
    : algorithm_(algorithm),
      id_(std::move(id)),
      key_(Generate(algorithm, rsa_bits), [](EVP_PKEY* key) { EVP_PKEY_free(key); }) {}

std::string JwtIssuer::Jwk(std::string_view more) const {
  std::string out = Cat("{\"kid\":\"", id_, '"', more, ',');
  if (IsEc(algorithm_)) {
    const bool small = algorithm_ == JwtAlgorithm::kEs256;
    const size_t bytes = small ? 32 : 48;
    return Cat(out, "\"kty\":\"EC\",\"crv\":\"", small ? "P-256" : "P-384", "\",\"x\":\"",
               Number(key_.get(), OSSL_PKEY_PARAM_EC_PUB_X, bytes), "\",\"y\":\"",
               Number(key_.get(), OSSL_PKEY_PARAM_EC_PUB_Y, bytes), "\"}");
  }
  if (algorithm_ == JwtAlgorithm::kEdDsa) {
    std::string raw(32, '\0');
    size_t size = raw.size();
    CHECK(EVP_PKEY_get_raw_public_key(key_.get(), reinterpret_cast<unsigned char*>(raw.data()), &size) == 1);
    return Cat(out, "\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"", Base64Url(raw), "\"}");
  }
  return Cat(out, "\"kty\":\"RSA\",\"alg\":\"", NameOf(algorithm_), "\",\"n\":\"",
             Number(key_.get(), OSSL_PKEY_PARAM_RSA_N), "\",\"e\":\"", Number(key_.get(), OSSL_PKEY_PARAM_RSA_E),
             "\"}");
}

std::string JwtIssuer::Jwks() const { return Cat("{\"keys\":[", Jwk(), "]}"); }

std::string JwtIssuer::HeaderOf(std::string_view more) const {
  return Cat("{\"alg\":\"", NameOf(algorithm_), "\",\"kid\":\"", id_, '"', more, '}');
}

std::string JwtIssuer::Sign(std::string_view payload) const { return SignAs(HeaderOf(), payload); }

std::string JwtIssuer::SignAs(std::string_view header, std::string_view payload) const {
  const std::string text = Cat(Base64Url(header), '.', Base64Url(payload));
  return Cat(text, '.', Base64Url(SignatureOf(text)));
}

std::string JwtIssuer::SignatureOf(std::string_view text) const {
  EVP_MD_CTX* const context = EVP_MD_CTX_new();
  EVP_PKEY_CTX* key_context = nullptr;
  CHECK(EVP_DigestSignInit(context, &key_context, Digest(algorithm_), nullptr, key_.get()) == 1);
  if (algorithm_ == JwtAlgorithm::kPs256) {
    CHECK(EVP_PKEY_CTX_set_rsa_padding(key_context, RSA_PKCS1_PSS_PADDING) == 1);
    CHECK(EVP_PKEY_CTX_set_rsa_pss_saltlen(key_context, RSA_PSS_SALTLEN_DIGEST) == 1);
  }
  const auto* const bytes = reinterpret_cast<const unsigned char*>(text.data());
  size_t size = 0;
  CHECK(EVP_DigestSign(context, nullptr, &size, bytes, text.size()) == 1);
  std::string out(size, '\0');
  CHECK(EVP_DigestSign(context, reinterpret_cast<unsigned char*>(out.data()), &size, bytes, text.size()) == 1);
  out.resize(size);
  EVP_MD_CTX_free(context);
  if (!IsEc(algorithm_)) return out;
  return FromDer(out, algorithm_ == JwtAlgorithm::kEs256 ? 32 : 48);
}

}  // namespace egret
