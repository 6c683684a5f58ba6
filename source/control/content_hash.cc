#include "source/control/content_hash.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <openssl/evp.h>

#include "source/base/check.h"
#include "source/base/hex.h"
#include "source/xds/resource.h"

namespace egret {
namespace {

constexpr size_t kHashBytes = 12;
constexpr int kSecretRounds = 10'000;

}  // namespace

std::string StableBytes(const google::protobuf::Message& message) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream out(&stream);
  out.SetSerializationDeterministic(true);
  message.SerializeToCodedStream(&out);
  out.Trim();
  return bytes;
}

std::string ContentHash(std::string_view bytes) { return ToHex(Sha256(bytes).substr(0, kHashBytes)); }

std::string SecretHash(std::string_view bytes) {
  constexpr std::string_view kSalt = "version of a secret";
  unsigned char hash[kHashBytes];
  CHECK(PKCS5_PBKDF2_HMAC(bytes.data(), static_cast<int>(bytes.size()),
                          reinterpret_cast<const unsigned char*>(kSalt.data()), static_cast<int>(kSalt.size()),
                          kSecretRounds, EVP_sha256(), sizeof hash, hash) == 1);
  return ToHex({reinterpret_cast<const char*>(hash), sizeof hash});
}

}  // namespace egret
