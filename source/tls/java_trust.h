// Root certificates as Java reads them: a trust store in PKCS #12 (RFC 7292).
#pragma once

#include <string>
#include <string_view>

#include "source/base/result.h"

namespace egret {

// Of the certificates in a PEM text. Nothing in it is encrypted, and no password guards it, since there is nothing
// secret in it: Java reads it without one, and with any.
Result<std::string, Problem> JavaTrustOf(std::string_view pem);

}  // namespace egret
