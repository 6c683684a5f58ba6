// How a credential stands in the value of a header field: alone, behind Bearer (RFC 6750 2.1) or token, or as the
// password of Basic (RFC 7617 2).
#pragma once

#include <string>
#include <string_view>

#include "source/base/secret_text.h"

namespace egret {

// The ways in which a field may carry it.
struct CredentialForms {
  bool alone = true, token = true, basic = true;
  std::string basic_user = {};  // takes the place of the client's; empty: that one stays
};

// The value with the secret in the placeholder's place. Empty: the placeholder does not stand there in one of these
// ways.
SecretText FillCredential(std::string_view value, std::string_view placeholder, std::string_view secret,
                          const CredentialForms& forms = {});

// What stands behind Basic, decoded as the most generous reader would: of either alphabet of Base64, with or without
// padding, past whatever is no digit. Empty: another scheme.
std::string InsideBasic(std::string_view value);

}  // namespace egret
