#include "source/policy/facts.h"

namespace egret {

std::string_view Identity::Name() const {
  for (const std::string* name : {&user, &spiffe_id, &service_account, &namespace_})
    if (!name->empty()) return *name;
  return "-";
}

}  // namespace egret
