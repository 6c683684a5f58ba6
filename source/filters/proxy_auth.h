// proxy_auth: finds out who asks. Each method is tried in order; what came as a credential has to be known by one of
// them, else it is a 407 (RFC 9110 15.5.8) that says what is taken, and the connection stays. Credentials that cost
// time to check are checked for each source at a bounded rate as long as they are wrong; what is known to be right
// passes.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "source/auth/auth_method.h"
#include "source/chain/filter.h"
#include "source/filters/rate_table.h"

namespace egret {

struct ProxyAuthOptions {
  std::vector<std::unique_ptr<const AuthMethod>> methods;  // in order
  bool optional = false;                                   // without a credential it goes on, as nobody
  std::string realm = "egress";                            // printable ASCII without quotes and backslashes
};

class ProxyAuthFilter final : public HttpFilter {
 public:
  explicit ProxyAuthFilter(ProxyAuthOptions options);
  Task<Response> Handle(Exchange& exchange, HttpNext next) const override;

 private:
  struct Search;
  // Nothing: it may go on, as whom it was found to be.
  Task<std::optional<Response>> Identify(Exchange& exchange) const;
  Task<void> Try(Exchange& exchange, Search& search) const;
  bool Charge(Search& search, const AuthQuestion& question) const;
  std::optional<Response> TakeNobody(Exchange& exchange) const;
  std::optional<Response> Conclude(Exchange& exchange, const Search& search) const;

  ProxyAuthOptions options_;
  std::vector<std::string> challenges_;
  std::shared_ptr<RateTable> wrong_;  // by source; shared by all workers, as the filter is
};

}  // namespace egret
