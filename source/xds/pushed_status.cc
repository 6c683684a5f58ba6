// What PushedConfig knows, as plain values.
#include <iterator>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "source/base/strings.h"
#include "source/xds/pushed_config.h"

namespace egret {
namespace {

using State = ResourceTable::State;

struct InForceNow {
  const ResourceBody* body;
  bool told = false;
};
using ByName = std::unordered_map<std::string_view, InForceNow>;

std::string VersionOf(const ResourceBody* body) { return body == nullptr ? std::string() : body->version; }

ResourceState StateOf(const ResourceTable::Row& row, const ResourceBody* in_force, const Choice& choice) {
  if (row.state == State::kBad) return ResourceState::kParked;
  if (row.state == State::kConflict) return ResourceState::kConflict;
  if (row.body != nullptr && in_force != nullptr && in_force->message == row.body->message)
    return ResourceState::kInForce;
  if (row.state == State::kPending || (row.body != nullptr && choice.warming.contains(row.body->key)))
    return ResourceState::kWarming;
  return ResourceState::kUnused;
}

}  // namespace

PushStatus PushedConfig::Status() const {
  PushStatus status = status_;
  status.source = source_;
  status.applied = in_force_.applied();
  ByName in_force[std::size(kResourceTypes)];
  for (const auto& [key, body] : in_force_.bodies())
    in_force[static_cast<size_t>(key.type)].try_emplace(key.name, body.get());
  const auto tell = [&](ResourceType type, std::string_view name) -> const ResourceBody* {
    const auto found = in_force[static_cast<size_t>(type)].find(name);
    if (found == in_force[static_cast<size_t>(type)].end()) return nullptr;
    found->second.told = true;
    return found->second.body;
  };
  const std::vector<ResourceTable::Row> rows = table_.Rows();
  status.resources.reserve(rows.size());
  for (const ResourceTable::Row& row : rows) {
    ResourceStatus& one = status.resources.emplace_back(row.type ? TypeUrl(*row.type) : CarrierUrl(),
                                                        std::string(row.name), std::string(row.version));
    const ResourceBody* const body = row.type ? tell(*row.type, row.name) : nullptr;
    one.version_in_force = VersionOf(body);
    one.state = StateOf(row, body, choice_);
    one.errors = row.errors;
    one.beside = !row.bad_beside.empty();
    if (one.beside)
      one.errors.push_back({.why = Cat("came together with ", ShownValue(row.bad_beside), ", which is refused")});
  }
  for (const auto& [key, users] : choice_.missing) {
    if (!IsMissing(key)) continue;
    ++status.missing;
    const ConfigError why{.why = Cat("is not there, and ", ToString(users.front()), " refers to it")};
    status.resources.push_back(
        {TypeUrl(key.type), key.name, "", VersionOf(tell(key.type, key.name)), ResourceState::kMissing, {why}});
  }
  // From another source than the server.
  for (const auto& [key, body] : in_force_.bodies())
    if (!in_force[static_cast<size_t>(key.type)].at(key.name).told && !in_force_.own().contains(key))
      status.resources.push_back({TypeUrl(key.type), key.name, body->version, body->version});
  return status;
}

}  // namespace egret
