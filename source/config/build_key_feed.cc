#include "source/config/build_key_feed.h"

#include <utility>
#include <vector>

#include "source/base/check.h"
#include "source/base/strings.h"
#include "source/config/tls_secrets.h"

namespace egret {

Result<std::shared_ptr<const BuiltKeyFeed>, Problem> FindKeyFeed(const filters::http::v1::ProxyAuth::JwksUrl& message,
                                                                 const SecretTable& secrets, const OpenKeyFeed& open,
                                                                 KeyFeeds& known) {
  std::shared_ptr<const BuiltKeyFeed>& place = known[message.SerializeAsString()];
  if (place != nullptr) return place;
  Result<KeysUrl, Unfit> at = ParseKeysUrl(message.url());
  CHECK(at.ok());  // validated
  KeyAddress address;
  address.url = message.url().substr(0, message.url().find('?'));
  Result<ClientTls, Problem> tls = MakeClientTls(secrets, message.tls(), at->target.host, Cat("keys of ", address.url));
  if (!tls) return tls.error();
  address.at = std::move(*at);
  address.tls = std::move(tls->context);
  address.tls_name = std::move(tls->name);
  std::vector<Cidr> ranges;
  for (const std::string& range : message.reaches_private()) ranges.push_back(*Cidr::Parse(range));
  address.reaches_private = CidrSet(ranges);
  place = std::make_shared<const BuiltKeyFeed>(
      BuiltKeyFeed{open(std::move(address)), std::make_shared<const Renewable>(std::move(tls->part))});
  return place;
}

}  // namespace egret
