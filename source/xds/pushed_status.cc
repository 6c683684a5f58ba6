// What PushedConfig knows, as plain values.
#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "source/base/strings.h"
#include "source/xds/pushed_config.h"

namespace egret {
namespace {

using State = ResourceTable::State;

// What is in force, found by what is told of: mostly in the same order.
class Telling {
 public:
  explicit Telling(const Bodies& bodies) : bodies_(bodies), next_(bodies.begin()) {}

  // Null: nothing of this name is.
  const ResourceBody* Tell(ResourceType type, std::string_view name) {
    if (next_ == bodies_.end() || next_->first.type != type || next_->first.name != name)
      next_ = bodies_.find({type, std::string(name)});
    if (next_ == bodies_.end()) return nullptr;
    const ResourceBody* const body = next_->second.get();
    told_.push_back(&next_->first);
    ++next_;
    return body;
  }

  template <class Do>
  void ForEachUntold(const Do& tell) {
    std::sort(told_.begin(), told_.end());
    for (const auto& [key, body] : bodies_)
      if (!std::binary_search(told_.begin(), told_.end(), &key)) tell(key, *body);
  }

 private:
  const Bodies& bodies_;
  Bodies::const_iterator next_;
  std::vector<const ResourceKey*> told_;
};

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
  Telling in_force(in_force_.bodies());
  const std::vector<ResourceTable::Row> rows = table_.Rows();
  status.resources.reserve(rows.size());
  for (const ResourceTable::Row& row : rows) {
    ResourceStatus& one = status.resources.emplace_back(row.type ? TypeUrl(*row.type) : CarrierUrl(),
                                                        std::string(row.name), std::string(row.version));
    const ResourceBody* const body = row.type ? in_force.Tell(*row.type, row.name) : nullptr;
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
    status.resources.push_back({TypeUrl(key.type),
                                key.name,
                                "",
                                VersionOf(in_force.Tell(key.type, key.name)),
                                ResourceState::kMissing,
                                {why}});
  }
  // From another source than the server.
  in_force.ForEachUntold([&](const ResourceKey& key, const ResourceBody& body) {
    if (!in_force_.own().contains(key))
      status.resources.push_back({TypeUrl(key.type), key.name, body.version, body.version});
  });
  return status;
}

}  // namespace egret
