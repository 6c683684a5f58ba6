// The URL at which an issuer publishes its keys.
#pragma once

#include <string>
#include <string_view>

#include "source/base/result.h"
#include "source/config/scalar.h"
#include "source/policy/target.h"

namespace egret {

struct KeysUrl {
  Target target;
  std::string path;  // with query, as it is asked for
};

// https only, without user or fragment.
Result<KeysUrl, Unfit> ParseKeysUrl(std::string_view text);

}  // namespace egret
