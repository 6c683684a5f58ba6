#include "source/xds/blame.h"

#include <google/protobuf/descriptor.h>

#include <string>
#include <string_view>
#include <utility>

#include "source/base/strings.h"

namespace egret {

using config::v1::Bootstrap;

Blame BlameFor(const Bootstrap& bootstrap, ConfigError error) {
  const std::string path = error.field;
  const size_t bracket = path.find('[');
  std::string_view rest = path;
  if (bracket == rest.npos) return {std::nullopt, std::move(error)};
  const auto type = TypeOfList(rest.substr(0, bracket));
  rest.remove_prefix(bracket + 1);
  const auto index = ParseDecimal<unsigned>(SplitFirst(rest, ']'));
  if (!type || !index) return {std::nullopt, std::move(error)};
  const auto& list = *Bootstrap::descriptor()->FindFieldByName(std::string(ListOf(*type)));
  const auto& reflection = *bootstrap.GetReflection();
  if (*index >= static_cast<unsigned>(reflection.FieldSize(bootstrap, &list))) return {std::nullopt, std::move(error)};
  if (rest.starts_with('.')) rest.remove_prefix(1);
  error.field = rest;
  return {ResourceKey{*type, OwnName(reflection.GetRepeatedMessage(bootstrap, &list, static_cast<int>(*index)))},
          std::move(error)};
}

std::vector<Blame> BlameFor(const Bootstrap& bootstrap, std::vector<ConfigError> errors) {
  std::vector<Blame> blames;
  for (ConfigError& error : errors)
    if (!error.warning()) blames.push_back(BlameFor(bootstrap, std::move(error)));
  return blames;
}

}  // namespace egret
