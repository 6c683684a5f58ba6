#include "source/auth/sigv4.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <vector>

#include "source/auth/sigv4_canonical.h"
#include "source/base/check.h"
#include "source/base/hex.h"
#include "source/base/strings.h"

namespace egret {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr std::string_view kEnd = "aws4_request";
constexpr std::string_view kContentHash = "X-Amz-Content-Sha256";
constexpr std::string_view kUnsigned = "UNSIGNED-PAYLOAD";

const unsigned char* Octets(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

// What 32 octets come of a hash; wiped, since most of them are keys.
struct Digest {
  Digest() = default;
  Digest(const Digest&) = delete;
  Digest& operator=(const Digest&) = delete;
  ~Digest() { OPENSSL_cleanse(octets.data(), octets.size()); }
  std::string_view text() const { return {reinterpret_cast<const char*>(octets.data()), octets.size()}; }

  std::array<unsigned char, 32> octets = {};
};

void Hmac(std::string_view key, std::string_view text, Digest& out) {
  CHECK(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), Octets(text), text.size(), out.octets.data(),
             nullptr) != nullptr);
}

std::string HashOf(std::string_view text) {
  Digest digest;
  CHECK(EVP_Digest(text.data(), text.size(), digest.octets.data(), nullptr, EVP_sha256(), nullptr) == 1);
  return ToHex(digest.octets);
}

std::string SignatureOf(std::string_view text, std::string_view secret_key, std::string_view day,
                        const AwsScope& scope) {
  std::string seed = Cat("AWS4", secret_key);
  Digest of_day, of_region, of_service, key, signature;
  Hmac(seed, day, of_day);
  OPENSSL_cleanse(seed.data(), seed.size());
  Hmac(of_day.text(), scope.region, of_region);
  Hmac(of_region.text(), scope.service, of_service);
  Hmac(of_service.text(), kEnd, key);
  Hmac(key.text(), text, signature);
  return ToHex(signature.octets);
}

bool IsVisible(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

// Of what stands between the slashes of a scope.
bool IsScopePart(std::string_view text) { return IsVisible(text) && text.find_first_of("/,;=") == text.npos; }

bool IsHash(std::string_view text) {
  return text.size() == 64 &&
         std::all_of(text.begin(), text.end(), [](char c) { return IsAsciiDigit(c) || (c >= 'a' && c <= 'f'); });
}

bool IsDay(std::string_view text) { return text.size() == 8 && std::all_of(text.begin(), text.end(), IsAsciiDigit); }

// Takes "name=value" off the front, up to a comma.
std::string_view Take(std::string_view& rest, std::string_view name) {
  std::string_view value = TrimOws(SplitFirst(rest, ','));
  return SplitFirst(value, '=') == name ? value : std::string_view();
}

bool IsPresigned(std::string_view query) {
  while (!query.empty()) {
    std::string_view value = SplitFirst(query, '&');
    const std::string name = WithoutEscapes(SplitFirst(value, '='));
    for (const std::string_view one :
         {"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Security-Token", "X-Amz-Signature", "AWSAccessKeyId"})
      if (EqualsIgnoreCase(name, one)) return true;
  }
  return false;
}

AwsRefusal JudgeContentHash(const Head& head) {
  int seen = 0;
  for (const Field& field : head.fields()) {
    if (!EqualsIgnoreCase(field.name, kContentHash)) continue;
    if (field.value.starts_with("STREAMING-AWS4-")) return AwsRefusal::kSignedChunks;
    const bool known =
        IsHash(field.value) || field.value == kUnsigned || field.value == "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
    if (!known || ++seen > 1) return AwsRefusal::kContentHash;
  }
  return AwsRefusal::kNone;
}

bool IsSigned(std::string_view name) {
  constexpr std::string_view kPrefix = "x-amz-";
  if (EqualsIgnoreCase(name.substr(0, kPrefix.size()), kPrefix)) return true;
  for (const std::string_view one : {"Content-Type", "Content-MD5", "Date", "Range"})
    if (EqualsIgnoreCase(name, one)) return true;
  return false;
}

}  // namespace

std::optional<AwsCredential> ParseAwsCredential(std::string_view text) {
  AwsCredential out;
  std::string_view rest = text;
  out.access_key_id = SplitFirst(rest, ':');
  const bool has_token = rest.find(':') != rest.npos;
  out.secret_key = SplitFirst(rest, ':');
  out.session_token = rest;
  if (!IsScopePart(out.access_key_id) || !IsVisible(out.secret_key)) return std::nullopt;
  if (has_token && (!IsVisible(rest) || rest.find(':') != rest.npos)) return std::nullopt;
  return out;
}

std::optional<AwsAuthorization> ParseAwsAuthorization(std::string_view value) {
  if (SplitFirst(value, ' ') != kAlgorithm) return std::nullopt;
  std::string_view credential = Take(value, "Credential");
  const std::string_view names = Take(value, "SignedHeaders"), signature = Take(value, "Signature");
  if (!IsVisible(names) || !IsHash(signature) || !value.empty()) return std::nullopt;
  AwsAuthorization out;
  out.access_key_id = SplitFirst(credential, '/');
  out.date = SplitFirst(credential, '/');
  out.scope.region = SplitFirst(credential, '/');
  out.scope.service = SplitFirst(credential, '/');
  const bool whole = IsScopePart(out.access_key_id) && IsDay(out.date) && IsScopePart(out.scope.region) &&
                     IsScopePart(out.scope.service) && credential == kEnd;
  return whole ? std::optional(out) : std::nullopt;
}

std::string_view TextOf(AwsRefusal refusal) {
  switch (refusal) {
    case AwsRefusal::kNone:
      break;
    case AwsRefusal::kPresigned:
      return "the URL is signed already: send the request without X-Amz-Signature and the like in its query";
    case AwsRefusal::kSignedChunks:
      return "the chunks of the content are signed with another key: have the client send "
             "STREAMING-UNSIGNED-PAYLOAD-TRAILER or UNSIGNED-PAYLOAD";
    case AwsRefusal::kContentHash:
      return "X-Amz-Content-Sha256 is no SHA-256 in hexadecimal, UNSIGNED-PAYLOAD or "
             "STREAMING-UNSIGNED-PAYLOAD-TRAILER, or is there twice";
  }
  return "";
}

std::string AwsDate(time_t now) {
  tm parts = {};
  CHECK(gmtime_r(&now, &parts) != nullptr);
  char text[32];
  return std::string(text, strftime(text, sizeof text, "%Y%m%dT%H%M%SZ", &parts));
}

std::string CanonicalAwsRequest(const AwsRequest& request) {
  std::string_view query = request.target;
  const std::string_view path = SplitFirst(query, '?');
  const CanonicalFields fields = CanonicalFieldsOf(request.fields);
  return Cat(request.method, '\n', CanonicalPath(path), '\n', CanonicalQuery(query), '\n', fields.lines, '\n',
             fields.names, '\n', request.content_hash);
}

std::string AwsAuthorizationOf(const AwsRequest& request, const AwsCredential& credential, const AwsScope& scope) {
  const std::string date = AwsDate(request.now);
  const std::string day = date.substr(0, 8);
  const std::string place = Cat(day, '/', scope.region, '/', scope.service, '/', kEnd);
  const std::string text = Cat(kAlgorithm, '\n', date, '\n', place, '\n', HashOf(CanonicalAwsRequest(request)));
  return Cat(kAlgorithm, " Credential=", credential.access_key_id, '/', place,
             ", SignedHeaders=", CanonicalFieldsOf(request.fields).names,
             ", Signature=", SignatureOf(text, credential.secret_key, day, scope));
}

AwsRefusal SignForAws(Head& head, std::string_view host, const AwsCredential& credential, const AwsScope& scope,
                      time_t now) {
  const size_t question = head.path.find('?');
  if (question != head.path.npos && IsPresigned(head.path.substr(question + 1))) return AwsRefusal::kPresigned;
  if (const AwsRefusal refusal = JudgeContentHash(head); refusal != AwsRefusal::kNone) return refusal;
  if (head.Find(kContentHash) == nullptr) head.Add(kContentHash, kUnsigned);
  head.Set("X-Amz-Date", AwsDate(now));
  head.Remove("X-Amz-Security-Token");
  if (!credential.session_token.empty()) head.Add("X-Amz-Security-Token", credential.session_token);

  std::vector<Field> fields = {{.name = "host", .value = host}};
  for (const Field& field : head.fields())
    if (IsSigned(field.name)) fields.push_back(field);
  const std::string_view content_hash = head.Find(kContentHash)->value;
  head.Set(FieldName::kAuthorization,
           AwsAuthorizationOf({head.method, head.path, fields, content_hash, now}, credential, scope));
  return AwsRefusal::kNone;
}

}  // namespace egret
