// The proxies whose fleet streams are here, by group and name, so that they can be told something, and who waits for
// what they send. Thread-safe.
#pragma once

#include <cstddef>
#include <mutex>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "egret/control/v1/fleet.pb.h"

namespace egret {

class Switchboard {
 public:
  static constexpr size_t kMostAudiences = 32;
  using Proxy = std::pair<std::string, std::string>;  // group and id

  // A proxy's stream. Called with the switchboard's lock held: must not block, nor call the switchboard.
  class Line {
   public:
    virtual void Tell(const control::v1::Command& command) = 0;

   protected:
    ~Line() = default;
  };
  // Whoever asked proxies for something. The same holds.
  class Audience {
   public:
    virtual void Hear(const Proxy& proxy, const control::v1::Report& report) = 0;

   protected:
    ~Audience() = default;
  };

  void Join(const Proxy& proxy, Line& line);
  void Leave(const Proxy& proxy, Line& line);
  // How many were told. An empty id is all of the group, an empty group all there are.
  size_t Tell(const Proxy& whom, const control::v1::Command& command);

  // From now on it hears every report. False: there are too many.
  bool Join(Audience& audience);
  void Leave(Audience& audience);
  void Deliver(const Proxy& proxy, const control::v1::Report& report);

 private:
  std::mutex mutex_;
  std::set<std::tuple<std::string, std::string, Line*>> lines_;
  std::set<Audience*> audiences_;
};

}  // namespace egret
