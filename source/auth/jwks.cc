#include "source/auth/jwks.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "source/base/base64.h"
#include "source/base/strings.h"

namespace egret {
namespace {

constexpr int kLeastRsaBits = 2048, kMostRsaBits = 8192;
constexpr size_t kMostKeys = 1000;

template <auto free>
struct Free {
  template <class T>
  void operator()(T* what) const {
    free(what);
  }
};
using BignumPtr = std::unique_ptr<BIGNUM, Free<BN_free>>;
using BuilderPtr = std::unique_ptr<OSSL_PARAM_BLD, Free<OSSL_PARAM_BLD_free>>;
using ParamsPtr = std::unique_ptr<OSSL_PARAM, Free<OSSL_PARAM_free>>;
using KeyContextPtr = std::unique_ptr<EVP_PKEY_CTX, Free<EVP_PKEY_CTX_free>>;
using DigestContextPtr = std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX_free>>;
using SignaturePtr = std::unique_ptr<ECDSA_SIG, Free<ECDSA_SIG_free>>;
using KeyPtr = std::shared_ptr<EVP_PKEY>;

// What fails here is no error of the TLS connections of the same thread, which would find it in the library's queue.
struct ErrorsForgotten {
  ~ErrorsForgotten() { ERR_clear_error(); }
};

const unsigned char* Bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

BignumPtr NumberOf(std::string_view bytes) {
  return BignumPtr(BN_bin2bn(Bytes(bytes), static_cast<int>(bytes.size()), nullptr));
}

KeyPtr MakeKey(const char* type, OSSL_PARAM_BLD* builder) {
  const ParamsPtr params(OSSL_PARAM_BLD_to_param(builder));
  const KeyContextPtr context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (params == nullptr || context == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1)
    return nullptr;
  return KeyPtr(key, [](EVP_PKEY* made) { EVP_PKEY_free(made); });
}

std::string BytesOf(const JsonValue& key, std::string_view member) {
  const std::optional<std::string_view> text = key.TextOf(member);
  return text ? FromBase64Url(*text).value_or("") : "";
}

KeyPtr MakeRsa(const JsonValue& key) {
  const std::string n = BytesOf(key, "n"), e = BytesOf(key, "e");
  const BignumPtr modulus = NumberOf(n), exponent = NumberOf(e);
  const BuilderPtr builder(OSSL_PARAM_BLD_new());
  if (BN_num_bits(modulus.get()) < kLeastRsaBits || BN_num_bits(modulus.get()) > kMostRsaBits) return nullptr;
  if (BN_is_odd(exponent.get()) != 1 || BN_is_one(exponent.get()) || BN_num_bits(exponent.get()) > 64) return nullptr;
  if (OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()) != 1)
    return nullptr;
  return MakeKey("RSA", builder.get());
}

// That the point lies on the curve the library checks.
KeyPtr MakeEc(const JsonValue& key, const char* group, size_t bytes) {
  const std::string x = BytesOf(key, "x"), y = BytesOf(key, "y");
  if (x.size() != bytes || y.size() != bytes) return nullptr;
  const std::string point = Cat('\x04', x, y);
  const BuilderPtr builder(OSSL_PARAM_BLD_new());
  if (OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, group, 0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) != 1)
    return nullptr;
  return MakeKey("EC", builder.get());
}

KeyPtr MakeEd25519(const JsonValue& key) {
  const std::string x = BytesOf(key, "x");
  EVP_PKEY* const made = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, Bytes(x), x.size());
  return made == nullptr ? nullptr : KeyPtr(made, [](EVP_PKEY* one) { EVP_PKEY_free(one); });
}

// What a key is for, where it does not say.
std::optional<JwtAlgorithm> AlgorithmOf(const JsonValue& key) {
  const std::string_view type = key.TextOf("kty").value_or(""), curve = key.TextOf("crv").value_or("");
  std::vector<JwtAlgorithm> possible;
  using enum JwtAlgorithm;
  if (type == "RSA") possible = {kRs256, kRs384, kRs512, kPs256};
  if (type == "EC" && curve == "P-256") possible = {kEs256};
  if (type == "EC" && curve == "P-384") possible = {kEs384};
  if (type == "OKP" && curve == "Ed25519") possible = {kEdDsa};
  const std::optional<std::string_view> named = key.TextOf("alg");
  for (const JwtAlgorithm algorithm : possible)
    if (!named || NameOf(algorithm) == *named) return algorithm;
  return std::nullopt;
}

KeyPtr KeyOf(const JsonValue& key, JwtAlgorithm algorithm) {
  switch (algorithm) {
    case JwtAlgorithm::kEs256:
      return MakeEc(key, "P-256", 32);
    case JwtAlgorithm::kEs384:
      return MakeEc(key, "P-384", 48);
    case JwtAlgorithm::kEdDsa:
      return MakeEd25519(key);
    default:
      return MakeRsa(key);
  }
}

const EVP_MD* DigestOf(JwtAlgorithm algorithm) {
  switch (algorithm) {
    case JwtAlgorithm::kRs384:
    case JwtAlgorithm::kEs384:
      return EVP_sha384();
    case JwtAlgorithm::kRs512:
      return EVP_sha512();
    case JwtAlgorithm::kEdDsa:
      return nullptr;
    default:
      return EVP_sha256();
  }
}

// r and s, each as long as the curve's order, as the library wants them (RFC 7518 3.4).
std::string ToDer(std::string_view raw, size_t bytes) {
  if (raw.size() != 2 * bytes) return {};
  const SignaturePtr signature(ECDSA_SIG_new());
  BignumPtr r = NumberOf(raw.substr(0, bytes)), s = NumberOf(raw.substr(bytes));
  if (ECDSA_SIG_set0(signature.get(), r.get(), s.get()) != 1) return {};
  std::ignore = r.release();
  std::ignore = s.release();
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(signature.get(), &der);
  const std::string out(reinterpret_cast<const char*>(der), static_cast<size_t>(std::max(size, 0)));
  OPENSSL_free(der);
  return out;
}

bool UsePss(EVP_PKEY_CTX* context) {
  return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1;
}

}  // namespace

std::string_view NameOf(JwtAlgorithm algorithm) {
  constexpr std::string_view kNames[] = {"RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"};
  return kNames[static_cast<size_t>(algorithm)];
}

Jwk::Jwk(std::string id, JwtAlgorithm algorithm, std::shared_ptr<EVP_PKEY> key)
    : id_(std::move(id)), algorithm_(algorithm), key_(std::move(key)), vouch_(std::make_shared<Vouch>()) {}

Result<std::optional<Jwk>, Problem> Jwk::Parse(const JsonValue& key) {
  if (!key.is(JsonValue::Kind::kObject)) return Problem{"not a key"};
  if (key.Find("d") != nullptr) return Problem{"it holds a private key, which nobody but the issuer may have"};
  const std::optional<JwtAlgorithm> algorithm = AlgorithmOf(key);
  if (!algorithm || key.TextOf("use").value_or("sig") != "sig") return std::optional<Jwk>();
  std::shared_ptr<EVP_PKEY> made = KeyOf(key, *algorithm);
  if (made == nullptr)
    return Problem{Cat("no sound key for ", NameOf(*algorithm), "; of RSA 2048 to 8192 bits are taken")};
  return std::optional<Jwk>(Jwk(std::string(key.TextOf("kid").value_or("")), *algorithm, std::move(made)));
}

bool Jwk::Verifies(std::string_view text, std::string_view signature) const {
  const ErrorsForgotten forgotten;
  std::string der;
  if (algorithm_ == JwtAlgorithm::kEs256 || algorithm_ == JwtAlgorithm::kEs384) {
    der = ToDer(signature, algorithm_ == JwtAlgorithm::kEs256 ? 32 : 48);
    if (der.empty()) return false;
    signature = der;
  }
  const DigestContextPtr context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* key_context = nullptr;  // the other's own
  if (EVP_DigestVerifyInit(context.get(), &key_context, DigestOf(algorithm_), nullptr, key_.get()) != 1) return false;
  if (algorithm_ == JwtAlgorithm::kPs256 && !UsePss(key_context)) return false;
  return EVP_DigestVerify(context.get(), Bytes(signature), signature.size(), Bytes(text), text.size()) == 1;
}

bool Jwk::SameAs(const Jwk& other) const {
  return id_ == other.id_ && algorithm_ == other.algorithm_ && EVP_PKEY_eq(key_.get(), other.key_.get()) == 1;
}

Result<std::shared_ptr<const KeySet>, Problem> KeySet::Parse(std::string_view json, const KeySet* before) {
  static std::atomic<uint64_t> last{0};
  const ErrorsForgotten forgotten;
  const std::optional<JsonValue> whole = JsonValue::Parse(json);
  const JsonValue* const keys = whole ? whole->Find("keys") : nullptr;
  if (keys == nullptr || !keys->is(JsonValue::Kind::kArray)) return Problem{"not a JSON object with a list `keys`"};
  if (keys->items.size() > kMostKeys) return Problem{Cat("more than ", kMostKeys, " keys")};
  auto set = std::make_shared<KeySet>();
  for (size_t i = 0; i < keys->items.size(); ++i) {
    Result<std::optional<Jwk>, Problem> key = Jwk::Parse(keys->items[i]);
    if (!key) return Problem{Cat("keys[", i, "]: ", key.error().text)};
    if (!*key) continue;
    if (!(*key)->id().empty() && set->Find((*key)->id()) != nullptr)
      return Problem{Cat("keys[", i, "]: another key before it has this kid")};
    if (const Jwk* const known = before == nullptr ? nullptr : before->FindSame(**key)) (*key)->TakeVouch(*known);
    set->keys_.push_back(std::move(**key));
  }
  if (set->keys_.empty()) return Problem{"no key to check signatures by; RSA, P-256, P-384 and Ed25519 are taken"};
  set->number_ = ++last;
  return std::shared_ptr<const KeySet>(std::move(set));
}

const Jwk* KeySet::FindSame(const Jwk& key) const {
  const auto at = std::find_if(keys_.begin(), keys_.end(),
                               [&](const Jwk& one) { return one.SameAs(key) && !one.vouch()->withdrawn(); });
  return at == keys_.end() ? nullptr : &*at;
}

void KeySet::WithdrawAllBut(const KeySet& next) const {
  for (const Jwk& key : keys_)
    if (next.FindSame(key) == nullptr) key.vouch()->Withdraw();
}

const Jwk* KeySet::Find(std::optional<std::string_view> id) const {
  if (!id) return keys_.size() == 1 ? &keys_.front() : nullptr;
  const auto at = std::find_if(keys_.begin(), keys_.end(), [&](const Jwk& key) { return key.id() == *id; });
  return at == keys_.end() ? nullptr : &*at;
}

}  // namespace egret
