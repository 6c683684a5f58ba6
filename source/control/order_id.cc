#include "source/control/order_id.h"

#include <sys/random.h>

#include <cstdint>

#include "source/base/check.h"
#include "source/base/strings.h"

namespace egret {

std::string NewOrderId(std::string_view kind) {
  uint64_t random = 0;
  CHECK(getrandom(&random, sizeof random, 0) == sizeof random);
  return Cat(kind, "-", random);
}

}  // namespace egret
