#include "source/auth/auth_method.h"

namespace egret {

std::string_view NameOf(AuthBy by) {
  switch (by) {
    case AuthBy::kNobody:
      return "none";
    case AuthBy::kBasic:
      return "basic";
    case AuthBy::kJwt:
      return "jwt";
    case AuthBy::kClientCertificate:
      return "client_certificate";
    case AuthBy::kSourceAddress:
      return "source_address";
    case AuthBy::kCount:
      break;
  }
  return "";
}

}  // namespace egret
