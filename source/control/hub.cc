#include "source/control/hub.h"

#include <utility>

#include "source/control/cohort.h"

namespace egret {

void Hub::Publish(const std::string& group, PublicationPtr publication) {
  const std::lock_guard lock(mutex_);
  Entry& entry = entries_[group];
  entry.group.errors.clear();
  if (entry.group.publication && entry.group.publication->version == publication->version) return;
  entry.group.publication = std::move(publication);
  entry.group.since = std::chrono::system_clock::now();
  TellAll(entry);
}

void Hub::Refuse(const std::string& group, std::vector<ConfigError> errors) {
  const std::lock_guard lock(mutex_);
  Group& refused = entries_[group].group;
  refused.errors = std::move(errors);
  ++refused.refused;
}

void Hub::Stage(const std::string& group, PublicationPtr next) {
  const std::lock_guard lock(mutex_);
  Entry& entry = entries_[group];
  entry.group.next_errors.clear();
  const auto version_of = [](const PublicationPtr& publication) { return publication ? publication->version : ""; };
  if (version_of(entry.group.next) == version_of(next)) return;
  entry.group.next = std::move(next);
  entry.group.next_since = std::chrono::system_clock::now();
  entry.group.progress = {.release = version_of(entry.group.next)};
  TellAll(entry);
}

void Hub::RefuseNext(const std::string& group, std::vector<ConfigError> errors) {
  const std::lock_guard lock(mutex_);
  entries_[group].group.next_errors = std::move(errors);
}

void Hub::Advance(const std::string& group, const Progress& progress) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(group);
  if (found == entries_.end() || found->second.group.progress.release != progress.release) return;
  if (std::exchange(found->second.group.progress, progress) != progress) TellAll(found->second);
}

// A release that is halted is not taken from anybody; who comes back may have it, and is given it again.
const PublicationPtr& Hub::ChoiceOf(const Group& group, const Following& following) {
  if (!group.next || !group.publication) return group.publication;
  const auto& [release, percent, halted] = group.progress;
  const bool may = !halted || !following.anew || following.given == release;
  return may && IsInCohort(release, following.id, percent) ? group.next : group.publication;
}

void Hub::TellAll(Entry& entry) {
  for (auto& [follower, following] : entry.followers) {
    const PublicationPtr& choice = ChoiceOf(entry.group, following);
    if (!choice || following.given == choice->version) continue;
    following.given = choice->version;
    follower->OnPublication(choice);
  }
}

Hub::Joined Hub::Join(const std::string& group, const std::string& id, bool anew, Follower& follower) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(group);
  if (found == entries_.end()) return Joined::kNoSuchGroup;
  if (!found->second.group.publication) return Joined::kNothingValid;
  Following& following = found->second.followers[&follower] = {.id = id, .anew = anew};
  const PublicationPtr& choice = ChoiceOf(found->second.group, following);
  following.given = choice->version;
  follower.OnPublication(choice);
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
