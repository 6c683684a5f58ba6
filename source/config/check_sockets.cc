#include "source/config/check_sockets.h"

#include <string>
#include <string_view>

#include "source/base/strings.h"
#include "source/config/address.h"

namespace egret {

std::vector<ConfigError> CheckSockets(const config::v1::Bootstrap& bootstrap) {
  struct Socket {
    std::string path;
    std::string_view text;
    SocketPlace address;
  };
  std::vector<Socket> sockets;
  std::vector<ConfigError> errors;
  const auto add = [&](std::string path, std::string_view text) {
    const auto address = ParseListenAddress(text);
    if (!address) return;
    for (const Socket& other : sockets) {
      if (!Clash(other.address, *address)) continue;
      errors.push_back({.field = path,
                        .value = ShownValue(text),
                        .why = Cat("taken by ", other.path, " (", other.text, ")"),
                        .remedy = "choose another port"});
      return;
    }
    sockets.push_back({std::move(path), text, *address});
  };
  if (bootstrap.has_admin()) add("admin.address", bootstrap.admin().address());
  if (bootstrap.has_metrics()) add("metrics.address", bootstrap.metrics().address());
  for (int i = 0; i < bootstrap.listeners_size(); ++i)
    if (bootstrap.listeners(i).has_address())
      add(Below(Below("listeners", static_cast<size_t>(i)), "address"), bootstrap.listeners(i).address());
  return errors;
}

}  // namespace egret
