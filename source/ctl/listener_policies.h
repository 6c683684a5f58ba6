// Which policies judge what comes in at a listener: those that its first egress_policy names.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/base/result.h"

namespace egret {

struct ListenerPolicies {
  std::string listener;
  std::vector<std::string> policies;
  bool asks_who = false;            // a proxy_auth, or a tls_terminator that asks for certificates, stands before it
  bool demands_credential = false;  // and lets nobody through without one
  bool decrypts = false;            // some chain of the configuration decrypts TLS
};

// Of the listener of that name; empty: of the only one that has a socket. `bootstrap` is valid.
Result<ListenerPolicies, Problem> PoliciesOf(const config::v1::Bootstrap& bootstrap, std::string_view listener);

}  // namespace egret
