// The folder of all groups' configurations: looked at about once a second, judged, published.
//
//   DIR/common/*.yaml     for every group
//   DIR/GROUP/*.yaml      for proxies whose node.cluster is GROUP
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "source/control/hub.h"
#include "source/xds/directory.h"

namespace egret {

class Library {
 public:
  // `bootstraps`: a folder with GROUP.yaml, what the proxies of a group start with; empty: that is not known. The hub
  // outlives it.
  Library(std::string folder, std::string bootstraps, Hub& hub);
  ~Library() { Stop(); }

  // Publishes what changed and is valid. A group whose folder is gone stays as it was: a mount that is not there must
  // not take the configuration away. Blocks.
  void Look();
  // Looks, and goes on doing so on a thread of its own until Stop.
  void Start();
  void Stop();

 private:
  std::vector<std::string> Groups() const;
  void LookAt(const std::string& group);

  const std::string folder_;
  const std::string bootstraps_;
  Hub& hub_;
  std::map<std::string, DirectoryWatch> watches_;
  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable stop_;
  bool stopping_ = false;
};

}  // namespace egret
