#include "source/control/hub.h"

#include <utility>

namespace egret {

void Hub::Publish(const std::string& group, PublicationPtr publication) {
  const std::lock_guard lock(mutex_);
  Entry& entry = entries_[group];
  entry.group.errors.clear();
  if (entry.group.publication && entry.group.publication->version == publication->version) return;
  entry.group.publication = std::move(publication);
  entry.group.since = std::chrono::system_clock::now();
  for (Follower* follower : entry.followers) follower->OnPublication(entry.group.publication);
}

void Hub::Refuse(const std::string& group, std::vector<ConfigError> errors) {
  const std::lock_guard lock(mutex_);
  Group& refused = entries_[group].group;
  refused.errors = std::move(errors);
  ++refused.refused;
}

Hub::Joined Hub::Join(const std::string& group, Follower& follower) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(group);
  if (found == entries_.end()) return Joined::kNoSuchGroup;
  if (!found->second.group.publication) return Joined::kNothingValid;
  found->second.followers.insert(&follower);
  follower.OnPublication(found->second.group.publication);
  return Joined::kFollows;
}

void Hub::Leave(const std::string& group, Follower& follower) {
  const std::lock_guard lock(mutex_);
  if (const auto found = entries_.find(group); found != entries_.end()) found->second.followers.erase(&follower);
}

std::map<std::string, Hub::Group> Hub::Look() const {
  const std::lock_guard lock(mutex_);
  std::map<std::string, Group> groups;
  for (const auto& [name, entry] : entries_) groups.emplace(name, entry.group);
  return groups;
}

}  // namespace egret
