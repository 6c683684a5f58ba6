// Protobuf -> what fetches an issuer's keys. Whoever names the same URL, with the same settings, shares one.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/auth/key_feed.h"
#include "source/base/current.h"
#include "source/base/result.h"
#include "source/config/keys_url.h"
#include "source/config/renewable.h"
#include "source/policy/cidr_set.h"
#include "source/tls/tls_context.h"

namespace egret {

struct KeyAddress {
  std::string url;  // for people: without its query
  KeysUrl at;
  std::shared_ptr<const Current<TlsClientContext>> tls;
  std::string tls_name;     // for whom the certificate has to be
  CidrSet reaches_private;  // where it may be beyond public addresses
};

// How keys are fetched: those who build chains do not know.
using OpenKeyFeed = std::function<std::shared_ptr<KeyFeed>(KeyAddress)>;

struct BuiltKeyFeed {
  std::shared_ptr<KeyFeed> feed;
  std::shared_ptr<const Renewable> tls;
};

// By their message.
using KeyFeeds = std::map<std::string, std::shared_ptr<const BuiltKeyFeed>, std::less<>>;

// Of a validated configuration: the one in `known`, else a new one, which is added there. The problem names the secret.
Result<std::shared_ptr<const BuiltKeyFeed>, Problem> FindKeyFeed(const filters::http::v1::ProxyAuth::JwksUrl& message,
                                                                 const SecretTable& secrets, const OpenKeyFeed& open,
                                                                 KeyFeeds& known);

}  // namespace egret
