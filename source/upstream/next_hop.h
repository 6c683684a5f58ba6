// A parent proxy that the operator configured, compiled.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "source/base/current.h"
#include "source/policy/permit.h"
#include "source/tls/tls_context.h"
#include "source/upstream/pool_place.h"

namespace egret {

struct NextHop {
  // Who resolves the destination's name. kLocal: we do, the address guard applies, and the parent is asked for the
  // address. kRemote: the parent does; what it will reach cannot be checked here.
  enum class Resolve : uint8_t { kLocal, kRemote };

  ConfiguredTarget target;
  Resolve resolve = Resolve::kLocal;
  // Value of Proxy-Authorization. Null: none.
  std::shared_ptr<const Current<std::string>> authorization = nullptr;
  // TLS to the parent, and for whom its certificate has to be. Null: in clear.
  std::shared_ptr<const Current<TlsClientContext>> tls = nullptr;
  std::string tls_name = {};
  bool http2 = false;  // within TLS, where the parent agrees (ALPN)
  // Of connections to the parent that more than one request or tunnel may use. Another parent under the same name has
  // another.
  PoolKey pool_key = {};
};

// False for none: then nobody but we.
inline bool ParentResolves(const NextHop* hop) { return hop != nullptr && hop->resolve == NextHop::Resolve::kRemote; }

}  // namespace egret
