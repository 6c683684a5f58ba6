// credential_broker: puts a credential where a client that never sees it sent a placeholder, on a request that policy
// allowed, and only towards the host that it is bound to, over TLS that was verified. A placeholder anywhere else is
// refused, and at a bound host so is what the client brought itself.
//
// Searched are the request target, as it came and with its escapes decoded once, and the values of all header fields,
// also inside Basic. Content and trailers are not.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "source/base/current.h"
#include "source/base/secret_text.h"
#include "source/chain/filter.h"
#include "source/filters/bound_identities.h"
#include "source/filters/credential_form.h"
#include "source/filters/known_credentials.h"
#include "source/policy/target.h"

namespace egret {

struct CredentialPlace {
  std::string header;
  CredentialForms forms;
};

// Where the requests of an S3 bucket are signed for.
struct SigningScope {
  std::string region, service;
};

struct CredentialBinding {
  // What a credential that the client brought gets, the strictest first: of several bindings of a host that one counts.
  enum class Others : uint8_t { kRefuse, kStrip, kPass };

  std::shared_ptr<const Current<SecretText>> secret;
  Target target;
  std::vector<CredentialPlace> places;
  // Set: the placeholder is the access key id that a client signs with (AWS Signature Version 4), the secret is one as
  // ParseAwsCredential() reads it, and the request is signed anew with that.
  std::optional<SigningScope> signs = {};
  std::string placeholder;
  // Empty: any that policy allows.
  std::vector<std::string> methods, path_prefixes;
  BoundIdentities who;
  Others others = Others::kRefuse;
};

struct CredentialBrokerOptions {
  std::vector<CredentialBinding> bindings;
  KnownCredentials known;  // what counts as the client's own
};

class CredentialBrokerFilter final : public HttpFilter {
 public:
  explicit CredentialBrokerFilter(CredentialBrokerOptions options) : options_(std::move(options)) {}
  [[clang::coro_wrapper]] Task<Response> Handle(Exchange& exchange, HttpNext next) const override;

 private:
  class Search;

  CredentialBrokerOptions options_;
};

}  // namespace egret
