// The configuration that a run is served with.
#pragma once

#include <string>
#include <vector>

#include "source/base/result.h"
#include "source/run/options.h"
#include "source/server/settings.h"

namespace egret {

inline constexpr std::string_view kProxyListener = "listener proxy";  // as sockets are handed over

// Valid, or the problems that people are told, one a line.
Result<Settings, Problem> SettingsOf(const RunOptions& options);

}  // namespace egret
