// The secrets of one configuration by name, immutable. What is made of secrets is made of a table of them, so that it
// can be made anew of the next one.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/base/result.h"

namespace egret {

class SecretTable {
 public:
  // Copies them; those of `before` that are the same are shared with it.
  explicit SecretTable(const config::v1::Bootstrap& bootstrap, const SecretTable* before = nullptr);

  // Of a validated configuration: it is there.
  const config::v1::Secret& Get(std::string_view name) const;
  // Null where there is none of that name.
  std::shared_ptr<const config::v1::Secret> Find(std::string_view name) const;
  // The files that these are read from.
  std::vector<std::string> FilesOf(const std::vector<std::string>& names) const;
  // Whether one of these is another than in `before`.
  bool Changed(const std::vector<std::string>& names, const SecretTable& before) const;

  using Map = std::map<std::string, std::shared_ptr<const config::v1::Secret>, std::less<>>;
  const Map& all() const { return secrets_; }

 private:
  Map secrets_;
};

// The text of a part of a secret; empty where it is not set. The problem names secret and field.
Result<std::string, Problem> ReadPart(const config::v1::DataSource& source, const config::v1::Secret& secret,
                                      std::string_view field);

}  // namespace egret
