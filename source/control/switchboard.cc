#include "source/control/switchboard.h"

namespace egret {

void Switchboard::Join(const Proxy& proxy, Line& line) {
  const std::lock_guard lock(mutex_);
  lines_.emplace(proxy.first, proxy.second, &line);
}

void Switchboard::Leave(const Proxy& proxy, Line& line) {
  const std::lock_guard lock(mutex_);
  lines_.erase({proxy.first, proxy.second, &line});
}

size_t Switchboard::Tell(const Proxy& whom, const control::v1::Command& command) {
  const std::lock_guard lock(mutex_);
  size_t told = 0;
  for (const auto& [group, id, line] : lines_) {
    if ((!whom.first.empty() && group != whom.first) || (!whom.second.empty() && id != whom.second)) continue;
    line->Tell(command);
    ++told;
  }
  return told;
}

bool Switchboard::Join(Audience& audience) {
  const std::lock_guard lock(mutex_);
  return audiences_.size() < kMostAudiences && audiences_.insert(&audience).second;
}

void Switchboard::Leave(Audience& audience) {
  const std::lock_guard lock(mutex_);
  audiences_.erase(&audience);
}

void Switchboard::Deliver(const Proxy& proxy, const control::v1::Report& report) {
  const std::lock_guard lock(mutex_);
  for (Audience* audience : audiences_) audience->Hear(proxy, report);
}

}  // namespace egret
