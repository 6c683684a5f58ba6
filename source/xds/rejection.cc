#include "source/xds/rejection.h"

#include <string>

namespace egret {

Rejection ToRejection(std::string_view type_url, std::string_view name, std::string_view version,
                      const ConfigError& error) {
  Rejection rejection;
  rejection.set_type_url(std::string(type_url));
  rejection.set_name(std::string(name));
  rejection.set_version(std::string(version));
  rejection.set_field(error.field);
  rejection.set_value(error.value);
  rejection.set_reason(error.why);
  rejection.set_remedy(error.remedy);
  return rejection;
}

}  // namespace egret
