#include "source/xds/resource_table.h"

#include <algorithm>
#include <iterator>

#include "source/base/strings.h"
#include "source/xds/check_alone.h"

namespace egret {
namespace {

using envoy::service::discovery::v3::Resource;

std::optional<ResourceTable::Ms> ExpiryOf(const Resource& resource, ResourceTable::Ms now) {
  if (!resource.has_ttl()) return std::nullopt;
  // Bounded, so that nothing overflows.
  constexpr int64_t kMostSeconds = 1'000'000'000;
  const int64_t seconds = std::clamp<int64_t>(resource.ttl().seconds(), 0, kMostSeconds);
  return now + seconds * 1000 + resource.ttl().nanos() / 1'000'000;
}

std::optional<ResourceKey> KeyOf(const WireType& type, const std::string& name, const BodyPtr& body) {
  if (body) return body->key;
  if (type.type) return ResourceKey{*type.type, name};
  return std::nullopt;  // what the carrier holds could not be read
}

}  // namespace

// For how it came and not for what it is: the same is judged anew when it comes again.
void ResourceTable::Refuse(Entry& entry, std::string why, std::string remedy) {
  entry.anew = true;
  entry.errors.push_back({.why = std::move(why), .remedy = std::move(remedy)});
}

ResourceTable::Taken ResourceTable::Take(const WireType& type, const DiscoveryResponse& response, Ms now,
                                         const std::function<bool(const std::string&)>& asked) {
  Taken taken;
  std::vector<Arrival> arrivals;
  std::map<std::string, size_t> at;  // of each name among the arrivals
  for (const Resource& resource : response.resources()) {
    if (!asked(resource.name())) {
      taken.unasked.push_back(resource.name());
      continue;
    }
    const auto [place, first] = at.try_emplace(resource.name(), arrivals.size());
    if (!first) {
      if (place->second < arrivals.size())
        Refuse(arrivals[place->second].entry, "twice in one response", "send it once");
    } else if (!Heartbeat({type, resource.name()}, resource, now)) {
      arrivals.push_back(Read(type, resource, now));
    } else {
      place->second = SIZE_MAX;
    }
  }
  for (const std::string& name : response.removed_resources())
    if (const auto found = at.find(name); found != at.end() && found->second < arrivals.size())
      Refuse(arrivals[found->second].entry, "sent and removed in one response", "do one of the two");
  CheckKeys(arrivals);
  CheckMeaning(arrivals);

  taken.batch = ++last_batch_;
  Batch& batch = batches_[taken.batch];
  for (Arrival& arrival : arrivals) {
    for (const ConfigError& error : arrival.entry.errors)
      if (error.warning())
        taken.unknown += arrival.known ? 0 : 1;
      else
        taken.rejections.push_back(ToRejection(type.url, arrival.name.second, arrival.entry.version, error));
    if (HasErrors(arrival.entry.errors)) batch.bad.insert(arrival.name);
    Put(arrival.name, std::move(arrival.entry), taken.batch);
  }
  for (const std::string& name : response.removed_resources())
    if (!at.contains(name) && (asked(name) || entries_.contains({type, name}))) Remove({type, name}, taken.batch);
  if (!batch.bad.empty()) batch.state = State::kBad;
  if (batch.names.empty()) batches_.erase(taken.batch);
  return taken;
}

ResourceTable::Arrival ResourceTable::Read(const WireType& type, const Resource& resource, Ms now) const {
  Arrival arrival{.name = {type, resource.name()}, .entry = {.version = resource.version()}};
  Entry& entry = arrival.entry;
  entry.expires = ExpiryOf(resource, now);
  if (!resource.has_resource()) {
    Refuse(entry, "neither a resource nor a heartbeat of the one that is there", "send the resource");
    return arrival;
  }
  const google::protobuf::Any& any = resource.resource();
  entry.digest = Cat(Sha256(any.value()), any.type_url());
  const auto known = entries_.find(arrival.name);
  if (known != entries_.end() && known->second.digest == entry.digest && !known->second.anew) {
    arrival.known = true;
    entry.errors = known->second.errors;
    if (known->second.body) {
      auto body = std::make_shared<ResourceBody>(*known->second.body);
      body->version = entry.version;
      entry.body = std::move(body);
    }
    return arrival;
  }
  ReadResult read = ReadResource(type, resource.name(), resource.version(), any, rules_);
  entry.body = std::move(read.body);
  entry.errors = std::move(read.errors);
  return arrival;
}

// Says that what is there goes on being valid.
bool ResourceTable::Heartbeat(const WireName& name, const Resource& resource, Ms now) {
  const auto found = entries_.find(name);
  if (resource.has_resource() || found == entries_.end() || found->second.version != resource.version()) return false;
  timed_ -= found->second.expires ? 1 : 0;
  found->second.expires = ExpiryOf(resource, now);
  timed_ += found->second.expires ? 1 : 0;
  return true;
}

// Whose names these are: what the bootstrap holds is its own, and two names on the wire must not mean one resource.
void ResourceTable::CheckKeys(std::vector<Arrival>& arrivals) const {
  std::map<ResourceKey, const Arrival*> taken;
  for (Arrival& arrival : arrivals) {
    const auto key = KeyOf(arrival.name.first, arrival.name.second, arrival.entry.body);
    if (!key) continue;
    const auto clash = [&](std::string why, std::string remedy) {
      arrival.entry.anew = true;
      arrival.entry.errors.push_back(
          {.field = "name", .value = ShownValue(key->name), .why = std::move(why), .remedy = std::move(remedy)});
    };
    if (!arrival.known && owned_.contains(*key))
      arrival.entry.errors.push_back({.field = "name",
                                      .value = ShownValue(key->name),
                                      .why = "the bootstrap of this proxy has one of this name, and it stays",
                                      .remedy = "choose another name"});
    const auto holder = holders_.find(*key);
    if (!taken.try_emplace(*key, &arrival).second)
      clash("another resource of this response has this name inside", "give each one name");
    else if (holder != holders_.end() && holder->second != arrival.name)
      clash(Cat("it was sent under another name before: ", ShownValue(holder->second.second)), "remove that first");
  }
}

void ResourceTable::CheckMeaning(std::vector<Arrival>& arrivals) {
  std::vector<BodyPtr> bodies;
  std::vector<Arrival*> whose;
  for (Arrival& arrival : arrivals) {
    if (arrival.known || !arrival.entry.body || HasErrors(arrival.entry.errors)) continue;
    bodies.push_back(arrival.entry.body);
    whose.push_back(&arrival);
  }
  if (bodies.empty()) return;
  auto errors = CheckAlone(bodies);
  for (size_t i = 0; i < whose.size(); ++i)
    for (ConfigError& error : errors[i]) whose[i]->entry.errors.push_back(std::move(error));
}

// Remembers what the name was, for as long as its newer word is parked.
void ResourceTable::Put(const WireName& name, Entry entry, uint64_t batch) {
  const auto old = entries_.find(name);
  if (old != entries_.end()) {
    entry.before = std::move(old->second.before);
    if (const auto key = KeyOf(name.first, name.second, old->second.body)) entry.before.insert(*key);
    Erase(old);
  }
  absent_.erase(name);
  entry.batch = batch;
  timed_ += entry.expires ? 1 : 0;
  batches_[batch].names.insert(name);
  if (const auto key = KeyOf(name.first, name.second, entry.body); key && !entry.removed) holders_.emplace(*key, name);
  entries_.emplace(name, std::move(entry));
}

void ResourceTable::Remove(const WireName& name, uint64_t batch) {
  if (!entries_.contains(name))
    absent_.insert(name);
  else
    Put(name, {.removed = true}, batch);
}

void ResourceTable::Erase(std::map<WireName, Entry>::iterator at) {
  const WireName name = at->first;
  const uint64_t batch = at->second.batch;
  if (const auto key = KeyOf(name.first, name.second, at->second.body))
    if (const auto holder = holders_.find(*key); holder != holders_.end() && holder->second == name)
      holders_.erase(holder);
  timed_ -= at->second.expires ? 1 : 0;
  entries_.erase(at);
  if (batch != 0) Leave(name, batch);
}

void ResourceTable::Leave(const WireName& name, uint64_t id) {
  const auto batch = batches_.find(id);
  if (batch == batches_.end()) return;
  batch->second.names.erase(name);
  batch->second.bad.erase(name);
  if (batch->second.names.empty())
    batches_.erase(batch);
  else if (batch->second.state == State::kBad && batch->second.bad.empty())
    batch->second.state = State::kPending;
}

std::vector<uint64_t> ResourceTable::BatchesThat(State state) const {
  std::vector<uint64_t> ids;
  for (const auto& [id, batch] : batches_)
    if (batch.state == state) ids.push_back(id);
  return ids;
}

void ResourceTable::Use(uint64_t id) {
  const auto batch = batches_.find(id);
  if (batch == batches_.end()) return;
  const std::set<WireName> names = std::move(batch->second.names);
  batches_.erase(batch);
  for (const WireName& name : names) {
    const auto entry = entries_.find(name);
    entry->second.batch = 0;
    entry->second.before.clear();
    entry->second.conflicts.clear();
    if (!entry->second.removed) continue;
    absent_.insert(name);
    Erase(entry);
  }
}

void ResourceTable::Park(uint64_t id, const std::map<ResourceKey, std::vector<ConfigError>>& blamed) {
  const auto batch = batches_.find(id);
  if (batch == batches_.end()) return;
  batch->second.state = State::kConflict;
  for (const WireName& name : batch->second.names) {
    Entry& entry = entries_.at(name);
    const auto key = KeyOf(name.first, name.second, entry.body);
    const auto found = key ? blamed.find(*key) : blamed.end();
    entry.conflicts = found == blamed.end() ? std::vector<ConfigError>() : found->second;
  }
}

bool ResourceTable::IsUsed(const Entry& entry, const std::set<uint64_t>& trial) const {
  return entry.batch == 0 || trial.contains(entry.batch);
}

Slots ResourceTable::SlotsWith(const std::set<uint64_t>& trial) const {
  Slots slots;
  auto hint = slots.end();  // entries of one type come in the order of their names
  for (const auto& [name, entry] : entries_) {
    if (IsUsed(entry, trial)) {
      if (entry.body) hint = std::next(slots.insert_or_assign(hint, entry.body->key, entry.body));
      continue;
    }
    for (const ResourceKey& key : entry.before) slots.try_emplace(key, nullptr);
    if (const auto key = KeyOf(name.first, name.second, entry.body)) slots.try_emplace(*key, nullptr);
  }
  return slots;
}

bool ResourceTable::Expire(Ms now) {
  if (timed_ == 0) return false;
  bool any = false;
  for (auto at = entries_.begin(); at != entries_.end();) {
    const auto entry = at++;
    if (!entry->second.expires || *entry->second.expires > now) continue;
    absent_.insert(entry->first);
    Erase(entry);
    any = true;
  }
  return any;
}

std::optional<ResourceTable::Ms> ResourceTable::NextExpiry() const {
  std::optional<Ms> next;
  if (timed_ == 0) return next;
  for (const auto& [name, entry] : entries_)
    if (entry.expires) next = std::min(next.value_or(INT64_MAX), *entry.expires);
  return next;
}

void ResourceTable::Retain(const WireType& type, const std::set<std::string>& asked) {
  if (asked.contains("*")) return;
  std::erase_if(absent_, [&](const WireName& name) { return name.first == type && !asked.contains(name.second); });
  for (auto at = entries_.lower_bound({type, ""}); at != entries_.end() && at->first.first == type;) {
    const auto entry = at++;
    if (!asked.contains(entry->first.second)) Erase(entry);
  }
}

bool ResourceTable::IsAnswered(const WireType& type, const std::string& name) const {
  return entries_.contains({type, name}) || absent_.contains({type, name});
}

std::map<std::string, std::string> ResourceTable::Versions(const WireType& type) const {
  std::map<std::string, std::string> versions;
  for (const auto& [name, entry] : entries_)
    if (name.first == type && !entry.removed) versions[name.second] = entry.version;
  return versions;
}

std::vector<ResourceTable::Row> ResourceTable::Rows() const {
  std::vector<Row> rows;
  rows.reserve(entries_.size());
  for (const auto& [name, entry] : entries_) {
    if (entry.removed) continue;
    Row& row = rows.emplace_back(name.first.type, name.second, entry.version, entry.body.get());
    if (row.body != nullptr) row.type = row.body->key.type;
    if (row.body != nullptr) row.name = row.body->key.name;
    row.errors = entry.errors;
    row.errors.insert(row.errors.end(), entry.conflicts.begin(), entry.conflicts.end());
    if (entry.batch == 0) continue;
    const Batch& batch = batches_.at(entry.batch);
    row.state = batch.state;
    if (!HasErrors(row.errors) && !batch.bad.empty()) row.bad_beside = batch.bad.begin()->second;
  }
  return rows;
}

}  // namespace egret
