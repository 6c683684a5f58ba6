// Gets an issuer's keys as they are published: one request over HTTPS, straight to an address that the address guard
// has nothing against.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "source/base/result.h"
#include "source/config/build_key_feed.h"
#include "source/event/task.h"
#include "source/http/head.h"
#include "source/io/resolver.h"
#include "source/policy/policy.h"

namespace egret {

struct PublishedKeys {
  std::string json;
  std::optional<uint64_t> max_age_s;  // as Cache-Control has it (RFC 9111 5.2.2.1); 0: not to be kept at all
};

class KeySource {
 public:
  virtual ~KeySource() = default;
  // `address` outlives the task. The caller bounds the time.
  virtual Task<Result<PublishedKeys, Problem>> Get(const KeyAddress& address) = 0;
};

class HttpsKeySource final : public KeySource {
 public:
  // `policy` gives the one in force, whose guard judges. Both outlive this.
  HttpsKeySource(Resolver& resolver, std::function<std::shared_ptr<const Policy>()> policy)
      : resolver_(resolver), policy_(std::move(policy)) {}
  Task<Result<PublishedKeys, Problem>> Get(const KeyAddress& address) override;

  static constexpr size_t kMostBytes = size_t{1} << 20;

 private:
  Task<Result<std::vector<IpAddress>, Problem>> Find(const KeyAddress& address);

  Resolver& resolver_;
  const std::function<std::shared_ptr<const Policy>()> policy_;
};

// What the values of Cache-Control say; nothing: they do not.
std::optional<uint64_t> MaxAgeOf(const Head& response);

}  // namespace egret
