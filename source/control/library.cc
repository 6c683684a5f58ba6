#include "source/control/library.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include "source/base/log.h"
#include "source/base/strings.h"
#include "source/control/group.h"

namespace egret {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kCommon = "common";
constexpr size_t kMostLines = 20;  // of the log, for one look at a group

void TellRefused(const std::string& group, const std::vector<ConfigError>& errors) {
  size_t lines = 0;
  for (const ConfigError& error : errors) {
    if (error.warning() || lines++ >= kMostLines) continue;
    Log(LogComponent::kConfig, LogLevel::kWarning, "group ", group, ": refused: ", error.ToString());
  }
  if (lines > kMostLines)
    Log(LogComponent::kConfig, LogLevel::kWarning, "group ", group, ": ... and ", lines - kMostLines, " more");
}

}  // namespace

Library::Library(std::string folder, std::string bootstraps, Hub& hub)
    : folder_(std::move(folder)), bootstraps_(std::move(bootstraps)), hub_(hub) {}

std::vector<std::string> Library::Groups() const {
  std::vector<std::string> groups;
  std::error_code problem;
  for (fs::directory_iterator at(folder_, problem), end; !problem && at != end; at.increment(problem)) {
    std::string name = at->path().filename();
    std::error_code unreadable;
    if (!name.starts_with('.') && name != kCommon && at->is_directory(unreadable)) groups.push_back(std::move(name));
  }
  std::sort(groups.begin(), groups.end());
  return groups;
}

void Library::Look() {
  for (const std::string& group : Groups()) LookAt(group);
}

void Library::LookAt(const std::string& group) {
  GroupFiles files{.folders = {Cat(folder_, "/", kCommon), Cat(folder_, "/", group)}, .bootstrap = {}};
  std::string bootstrap = Cat(bootstraps_, "/", group, ".yaml");
  const auto [watch, added] = watches_.try_emplace(group, files.folders, std::vector{bootstrap});
  if (!watch->second.Look()) return;
  if (!bootstraps_.empty()) files.bootstrap = std::move(bootstrap);
  GroupConfig config = ReadGroup(files);
  if (HasErrors(config.errors)) {
    TellRefused(group, config.errors);
    hub_.Refuse(group, std::move(config.errors));
    return;
  }
  auto publication = std::make_shared<const Publication>(egret::Publish(config.own, config.bodies));
  Log(LogComponent::kConfig, LogLevel::kInfo, "group ", group, ": serves ", config.bodies.size(),
      " resources, version ", publication->version);
  hub_.Publish(group, std::move(publication));
}

void Library::Start() {
  Look();
  thread_ = std::thread([this] {
    std::unique_lock lock(mutex_);
    while (!stop_.wait_for(lock, std::chrono::seconds(1), [this] { return stopping_; })) {
      lock.unlock();
      Look();
      lock.lock();
    }
  });
}

void Library::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_.notify_all();
  if (thread_.joinable()) thread_.join();
}

}  // namespace egret
