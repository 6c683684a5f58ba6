// The variables by which programs find the proxy.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace egret {

// Files of the roots that clients are to believe in the place of their own; empty: they keep those.
struct TrustPaths {
  std::string pem;
  std::string java;  // a trust store
};

// The URL of the proxy that the caller's own variables name, where host:port alone means http, as curl takes it; empty:
// they name none. May hold a password.
std::string CallersProxy();

// `inherited` ("NAME=value" each), with those that lead to the proxy at `address` ("127.0.0.1:3128") in the place of
// any that led elsewhere. What listens on the command's own loopback is reached without it.
std::vector<std::string> EnvironmentOf(std::vector<std::string> inherited, std::string_view address,
                                       const TrustPaths& trust = {});

}  // namespace egret
