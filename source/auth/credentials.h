// What a client sends in Proxy-Authorization (RFC 9110 11.7.2): Basic (RFC 7617) and Bearer (RFC 6750 2.1). Whatever is
// malformed, and any other scheme, is a credential that nobody can know.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace egret {

class Credentials {
 public:
  // More than any token or password needs.
  static constexpr size_t kMostBytes = 16384;

  enum class Scheme : uint8_t {
    kBasic,
    kBearer,
    kOther,      // one that is not spoken here
    kMalformed,  // no sound credential of a scheme that is
  };

  // `field`: the value of the one Proxy-Authorization of a request.
  static Credentials Parse(std::string_view field);

  Scheme scheme() const { return scheme_; }
  // Of Basic. No control character is in either; the name may be empty, and has no colon.
  std::string_view user() const { return std::string_view(text_).substr(0, user_bytes_); }
  std::string_view password() const { return std::string_view(text_).substr(user_bytes_ + 1); }
  // Of Bearer.
  std::string_view token() const { return text_; }

 private:
  Credentials(Scheme scheme, std::string text, size_t user_bytes = 0)
      : scheme_(scheme), text_(std::move(text)), user_bytes_(user_bytes) {}
  static Credentials ParseBasic(std::string_view encoded);

  Scheme scheme_;
  std::string text_;  // "user:password", or the token
  size_t user_bytes_;
};

}  // namespace egret
