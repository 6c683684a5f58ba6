#include "source/control/library.h"

#include <algorithm>
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

constexpr std::string_view kCommon = "common", kNext = "next";
// Looks. Whoever moves a release's files to the group's own does so at one moment, and those have to come to rest
// first.
constexpr int kGoneAfter = 4;
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
  for (const std::string& group : Groups()) {
    LookAt(group);
    LookAtNext(group);
  }
}

GroupFiles Library::Files(const std::string& group, const std::string& folder) const {
  return {.folders = {Cat(folder_, "/", kCommon), folder},
          .bootstrap = bootstraps_.empty() ? "" : Cat(bootstraps_, "/", group, ".yaml")};
}

std::optional<Result<PublicationPtr, std::vector<ConfigError>>> Library::Read(const std::string& group,
                                                                              const std::string& folder) {
  const GroupFiles files = Files(group, folder);
  const auto [watch, added] = watches_.try_emplace(folder, files.folders, std::vector{files.bootstrap});
  if (!watch->second.Look()) return std::nullopt;
  GroupConfig config = ReadGroup(files);
  if (HasErrors(config.errors)) {
    TellRefused(group, config.errors);
    return std::move(config.errors);
  }
  PublicationPtr publication = std::make_shared<const Publication>(egret::Publish(config.own, config.bodies));
  Log(LogComponent::kConfig, LogLevel::kInfo, "group ", group, ": ", folder, " holds ", config.bodies.size(),
      " resources, version ", publication->version);
  return publication;
}

void Library::LookAt(const std::string& group) {
  auto read = Read(group, Cat(folder_, "/", group));
  if (!read) return;
  if (*read)
    hub_.Publish(group, std::move(**read));
  else
    hub_.Refuse(group, read->error());
}

void Library::LookAtNext(const std::string& group) {
  const std::string folder = Cat(folder_, "/", group, "/", kNext);
  std::error_code problem;
  if (!fs::is_directory(folder, problem)) {
    watches_.erase(folder);
    if (++gone_[group] >= kGoneAfter) hub_.Stage(group, nullptr);
    return;
  }
  gone_[group] = 0;
  auto read = Read(group, folder);
  if (!read) return;
  if (*read)
    hub_.Stage(group, std::move(**read));
  else
    hub_.RefuseNext(group, read->error());
}

void Library::Start() {
  Look();
  ticker_.Start([this] { Look(); });
}

}  // namespace egret
