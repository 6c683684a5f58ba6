// The folder of all groups' configurations: looked at about once a second, judged, published.
//
//   DIR/common/*.yaml     for every group
//   DIR/GROUP/*.yaml      for proxies whose node.cluster is GROUP
//   DIR/GROUP/next/*.yaml in the place of those, its next release: for as many of them as an operator says
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "source/base/result.h"
#include "source/control/group.h"
#include "source/control/hub.h"
#include "source/control/ticker.h"
#include "source/xds/directory.h"

namespace egret {

class Library {
 public:
  // `bootstraps`: a folder with GROUP.yaml, what the proxies of a group start with; empty: that is not known. The hub
  // outlives it.
  Library(std::string folder, std::string bootstraps, Hub& hub);

  // Publishes what changed and is valid. A group whose folder is gone stays as it was: a mount that is not there must
  // not take the configuration away. Blocks.
  void Look();
  // Looks, and goes on doing so on a thread of its own until Stop.
  void Start();
  void Stop() { ticker_.Stop(); }

  // Of a group that there is. From any thread.
  GroupFiles FilesOf(const std::string& group) const { return Files(group, folder_ + '/' + group); }

 private:
  std::vector<std::string> Groups() const;
  GroupFiles Files(const std::string& group, const std::string& folder) const;
  void LookAt(const std::string& group);
  void LookAtNext(const std::string& group);
  // The whole of what these folders hold, if it has changed; its errors, or what is to be published.
  std::optional<Result<PublicationPtr, std::vector<ConfigError>>> Read(const std::string& group,
                                                                       const std::string& folder);

  const std::string folder_;
  const std::string bootstraps_;
  Hub& hub_;
  std::map<std::string, DirectoryWatch> watches_;  // by folder
  std::map<std::string, int> gone_;  // by group, for how many looks its next release's folder was not there
  Ticker ticker_;
};

}  // namespace egret
