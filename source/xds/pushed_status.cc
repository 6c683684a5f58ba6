// What PushedConfig knows, as plain values.
#include <algorithm>
#include <utility>

#include "source/base/strings.h"
#include "source/xds/pushed_config.h"

namespace egret {
namespace {

using State = ResourceTable::State;

std::string VersionOf(const BodyPtr& body) { return body ? body->version : std::string(); }

ResourceState StateOf(const ResourceTable::Row& row, const BodyPtr& in_force, const Choice& choice) {
  if (row.state == State::kBad) return ResourceState::kParked;
  if (row.state == State::kConflict) return ResourceState::kConflict;
  if (row.body && in_force && in_force->message == row.body->message) return ResourceState::kInForce;
  if (row.state == State::kPending || (row.body && choice.warming.contains(row.body->key)))
    return ResourceState::kWarming;
  return ResourceState::kUnused;
}

}  // namespace

PushStatus PushedConfig::Status() const {
  PushStatus status = status_;
  status.source = source_;
  status.applied = in_force_.applied();
  const Bodies& bodies = in_force_.bodies();
  const auto in_force = [&](const ResourceKey& key) {
    const auto found = bodies.find(key);
    return found == bodies.end() ? nullptr : found->second;
  };
  std::set<ResourceKey> told;
  for (ResourceTable::Row& row : table_.Rows()) {
    ResourceStatus& one = status.resources.emplace_back(row.type_url, row.name, row.version);
    const auto type = ParseTypeUrl(row.type_url);
    const BodyPtr body = type ? in_force({*type, row.name}) : nullptr;
    one.version_in_force = VersionOf(body);
    one.state = StateOf(row, body, choice_);
    one.errors = std::move(row.errors);
    one.beside = !row.bad_beside.empty();
    if (one.beside)
      one.errors.push_back({.why = Cat("came together with ", ShownValue(row.bad_beside), ", which is refused")});
    if (type) told.insert({*type, row.name});
  }
  for (const auto& [key, users] : choice_.missing) {
    if (!IsMissing(key)) continue;
    ++status.missing;
    told.insert(key);
    const ConfigError why{.why = Cat("is not there, and ", ToString(users.front()), " refers to it")};
    status.resources.push_back(
        {std::string(TypeUrl(key.type)), key.name, "", VersionOf(in_force(key)), ResourceState::kMissing, {why}});
  }
  // From another source than the server.
  for (const auto& [key, body] : Pushed())
    if (!told.contains(key))
      status.resources.push_back({std::string(TypeUrl(key.type)), key.name, body->version, body->version});
  return status;
}

}  // namespace egret
