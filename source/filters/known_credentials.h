// What counts as a credential that a client brought: header fields and query parameters, the usual ones and those that
// are named besides.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace egret {

class KnownCredentials {
 public:
  KnownCredentials() = default;
  // Names of fields, and of parameters with their escapes decoded; case makes no difference.
  explicit KnownCredentials(std::vector<std::string> more_fields, std::vector<std::string> more_parameters = {})
      : more_fields_(std::move(more_fields)), more_parameters_(std::move(more_parameters)) {}

  bool IsField(std::string_view name) const;
  // A request target, with or without a query.
  bool AreInQuery(std::string_view target) const;
  // The target without those parameters; what else is there stays as it came.
  std::string WithoutThem(std::string_view target) const;

 private:
  // What stands between two '&'. Some origins take ';' for one.
  bool IsParameter(std::string_view text) const;

  std::vector<std::string> more_fields_, more_parameters_;
};

}  // namespace egret
