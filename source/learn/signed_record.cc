#include "source/learn/signed_record.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>

#include <array>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "source/base/base64.h"
#include "source/base/hex.h"
#include "source/base/json.h"
#include "source/base/json_value.h"
#include "source/base/strings.h"
#include "source/tls/certificates.h"

namespace egret {
namespace {

constexpr std::string_view kPayloadType = "application/vnd.in-toto+json";

using Context = std::unique_ptr<EVP_MD_CTX, FreeWith<EVP_MD_CTX_free>>;
using Memory = std::unique_ptr<BIO, FreeWith<BIO_free>>;

Memory Reading(std::string_view text) { return Memory(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }
int NoPassphrase(char*, int, int, void*) { return -1; }

// What is signed: DSSE's pre-authentication encoding.
std::string Encoded(std::string_view payload) {
  return Cat("DSSEv1 ", kPayloadType.size(), ' ', kPayloadType, ' ', payload.size(), ' ', payload);
}

const EVP_MD* DigestFor(const EVP_PKEY* key) {
  return EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519 ? nullptr : EVP_sha256();
}

const unsigned char* Unsigned(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

std::optional<std::string> SignatureOf(std::string_view text, EVP_PKEY* key) {
  const Context context(EVP_MD_CTX_new());
  size_t size = 0;
  if (EVP_DigestSignInit(context.get(), nullptr, DigestFor(key), nullptr, key) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, Unsigned(text), text.size()) != 1)
    return std::nullopt;
  std::string signature(size, '\0');
  if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, Unsigned(text),
                     text.size()) != 1)
    return std::nullopt;
  signature.resize(size);
  return signature;
}

bool IsSignatureOf(std::string_view signature, std::string_view text, EVP_PKEY* key) {
  const Context context(EVP_MD_CTX_new());
  return EVP_DigestVerifyInit(context.get(), nullptr, DigestFor(key), nullptr, key) == 1 &&
         EVP_DigestVerify(context.get(), Unsigned(signature), signature.size(), Unsigned(text), text.size()) == 1;
}

// SHA-256 of the public key (SubjectPublicKeyInfo), in hex: by it whoever verifies finds the key.
std::string NameOf(EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int length = i2d_PUBKEY(key, &der);
  if (length <= 0) return "";
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest;
  SHA256(der, static_cast<size_t>(length), digest.data());
  OPENSSL_free(der);
  return ToHex(digest);
}

struct Envelope {
  std::string payload;
  std::vector<std::string> signatures;
};

Result<Envelope, Problem> Open(std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  const auto json = JsonValue::Parse(text);
  if (!json || json->TextOf("payloadType") != kPayloadType) return Problem{"not an envelope (DSSE) of a record"};
  auto payload = FromBase64(json->TextOf("payload").value_or(""));
  if (!payload) return Problem{"its payload is not base64"};
  Envelope envelope{std::move(*payload), {}};
  if (const JsonValue* const signatures = json->Find("signatures"))
    for (const JsonValue& one : signatures->items)
      if (auto signature = FromBase64(one.TextOf("sig").value_or("")))
        envelope.signatures.push_back(*std::move(signature));
  return envelope;
}

}  // namespace

Result<std::string, Problem> SignStatement(std::string_view statement, std::string_view key_pem) {
  const KeyPtr key(PEM_read_bio_PrivateKey(Reading(key_pem).get(), nullptr, NoPassphrase, nullptr));
  if (!key) return Problem{"not a private key in PEM without a passphrase"};
  const auto signature = SignatureOf(Encoded(statement), key.get());
  if (!signature) return Problem{"this kind of key does not sign; take Ed25519, ECDSA or RSA"};
  std::string text;
  JsonWriter out(text);
  out.BeginObject();
  out.Member("payload", Base64(statement));
  out.Member("payloadType", kPayloadType);
  out.Key("signatures");
  out.BeginArray();
  out.BeginObject();
  out.Member("keyid", NameOf(key.get()));
  out.Member("sig", Base64(*signature));
  out.EndObject();
  out.EndArray();
  out.EndObject();
  return text + '\n';
}

Result<std::string, Problem> VerifiedStatement(std::string_view text, std::string_view public_key_pem) {
  const KeyPtr key(PEM_read_bio_PUBKEY(Reading(public_key_pem).get(), nullptr, NoPassphrase, nullptr));
  if (!key) return Problem{"not a public key in PEM"};
  Result<Envelope, Problem> envelope = Open(text);
  if (!envelope) return envelope.error();
  const std::string encoded = Encoded(envelope->payload);
  for (const std::string& signature : envelope->signatures)
    if (IsSignatureOf(signature, encoded, key.get())) return std::move(envelope->payload);
  return Problem{"no signature of that key is on it"};
}

Result<std::string, Problem> StatementIn(std::string_view text) {
  if (text.find("\"payloadType\"") == std::string_view::npos) return std::string(text);
  Result<Envelope, Problem> envelope = Open(text);
  if (!envelope) return envelope.error();
  return std::move(envelope->payload);
}

}  // namespace egret
