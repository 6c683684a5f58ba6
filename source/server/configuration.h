// One whole configuration, compiled: what is in force, or is about to be. Making one changes nothing that is in force;
// what has not changed since the one before is shared with it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/base/ip.h"
#include "source/base/result.h"
#include "source/config/build_chains.h"
#include "source/config/compile_policies.h"
#include "source/config/error.h"
#include "source/server/connection_limits.h"
#include "source/server/take_over.h"
#include "source/server/worker_thread.h"

namespace egret {

struct BoundListener {
  std::string name;
  std::string configured;  // its address as the configuration says it
  bool tproxy = false;
  ListenAddress address;                         // as bound
  uint64_t number = 0;                           // of its sockets, one for each worker
  std::vector<int> fds;                          // the same; the workers own them
  std::shared_ptr<ConnectionCount> connections;  // open ones, over all workers
};

// How many resources were compiled since the process started: the others were as they had been.
struct MadeCounts {
  uint64_t listeners = 0, policies = 0, domain_sets = 0;
};

struct Configuration {
  std::shared_ptr<const config::v1::Bootstrap> bootstrap;
  CompiledPolicies policies;
  BuiltChains built;
  std::vector<BoundListener> listeners;
  MadeCounts made;

  Snapshot snapshot() const;
};

// What has to happen so that it is in force.
struct PreparedConfiguration {
  std::shared_ptr<const Configuration> next;
  std::vector<uint64_t> closed;                   // numbers of sockets
  std::vector<std::vector<WorkerSocket>> opened;  // by worker; they listen already
};

class ConfigurationMaker {
 public:
  ConfigurationMaker(uint32_t workers, ChainDefaults defaults) : workers_(workers), defaults_(std::move(defaults)) {}
  // An endpoint of this proxy beside its listeners, which no destination may be.
  void AddOwn(const Endpoint& own) { own_.push_back(own); }

  // The endpoints of this proxy while that one is in force.
  std::vector<Endpoint> OwnOf(const Configuration& configuration) const;

  // Of a configuration that Validate() found no fault with. `handed`: sockets of a predecessor. Reads files, compiles
  // and binds: takes its time. Not on two threads at once.
  Result<PreparedConfiguration, std::vector<ConfigError>> Make(std::shared_ptr<const config::v1::Bootstrap> bootstrap,
                                                               const Configuration* before, HandedSockets& handed);

 private:
  std::vector<ConfigError> OpenListeners(const Configuration* before, HandedSockets& handed, Configuration& next,
                                         PreparedConfiguration& prepared);
  Result<std::vector<ListenSocket>, std::string> SocketsFor(const config::v1::Listener& listener,
                                                            HandedSockets& handed) const;
  BoundListener Bind(const config::v1::Listener& listener, std::vector<ListenSocket> sockets,
                     PreparedConfiguration& prepared);
  std::vector<ConfigError> CompilePolicy(const Configuration* before, Configuration& next) const;
  static MadeCounts Count(const Configuration* before, const Configuration& next);

  const uint32_t workers_;
  const ChainDefaults defaults_;
  std::vector<Endpoint> own_;
  uint64_t last_number_ = 0;
};

}  // namespace egret
