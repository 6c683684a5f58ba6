#include "source/xds/resource_report.h"

#include <functional>

#include "source/xds/rejection.h"

namespace egret {
namespace {

using Told = control::v1::ResourceStatus;

Told::State StateOf(ResourceState state) {
  switch (state) {
    case ResourceState::kInForce:
      return Told::IN_FORCE;
    case ResourceState::kParked:
      return Told::PARKED;
    case ResourceState::kConflict:
      return Told::CONFLICT;
    case ResourceState::kWarming:
      return Told::WARMING;
    case ResourceState::kMissing:
      return Told::MISSING;
    case ResourceState::kUnused:
      return Told::UNUSED;
  }
  return Told::STATE_UNSPECIFIED;
}

Told Tell(const ResourceStatus& status) {
  Told told;
  told.set_type_url(std::string(status.type_url));
  told.set_name(status.name);
  told.set_version_received(status.version_received);
  told.set_version_in_force(status.version_in_force);
  told.set_state(StateOf(status.state));
  if (status.beside) return told;
  for (const ConfigError& error : status.errors)
    if (!error.warning() && told.errors_size() < ResourceReport::kMostErrors)
      *told.add_errors() = ToRejection(status.type_url, status.name, status.version_received, error);
  return told;
}

}  // namespace

std::vector<control::v1::Report> ResourceReport::Next(const std::vector<ResourceStatus>& resources) {
  std::vector<control::v1::Report> reports(1);
  const auto add = [&](Told told) {
    if (reports.back().resources_size() == kMostInOne) reports.emplace_back();
    *reports.back().add_resources() = std::move(told);
  };
  std::map<Key, size_t> now;
  for (const ResourceStatus& status : resources) {
    Told told = Tell(status);
    const size_t hash = std::hash<std::string>()(told.SerializeAsString());
    const Key key(status.type_url, status.name);
    now[key] = hash;
    const auto before = told_.find(key);
    if (before == told_.end() || before->second != hash) add(std::move(told));
  }
  for (const auto& [key, hash] : told_) {
    if (now.contains(key)) continue;
    Told gone;
    gone.set_type_url(std::string(key.first));
    gone.set_name(key.second);
    gone.set_state(Told::REMOVED);
    add(std::move(gone));
  }
  told_ = std::move(now);
  return reports;
}

}  // namespace egret
