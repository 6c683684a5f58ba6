#include "source/control/cohort.h"

#include <string>

#include "source/base/strings.h"
#include "source/xds/resource.h"

namespace egret {

uint32_t CohortOf(std::string_view release, std::string_view node_id) {
  uint64_t number = 0;
  for (const char c : Sha256(Cat(release, '\0', node_id)).substr(0, 8))
    number = number << 8 | static_cast<unsigned char>(c);
  return static_cast<uint32_t>(number % 100);
}

}  // namespace egret
