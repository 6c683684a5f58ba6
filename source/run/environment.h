// The variables by which programs find the proxy.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace egret {

// `inherited` ("NAME=value" each), with those that lead to the proxy at `address` ("127.0.0.1:3128") in the place of
// any that led elsewhere. What listens on the command's own loopback is reached without it. `trust`: path of the roots
// that clients are to believe in the place of their own; empty: they keep those.
std::vector<std::string> EnvironmentOf(std::vector<std::string> inherited, std::string_view address,
                                       std::string_view trust = {});

}  // namespace egret
