// Pushed configuration as a whole: takes in what comes, puts it in force, says what is to be answered and asked for. It
// moves no bytes and knows no clock: time comes with each call. On the config thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/xds/delta_state.h"
#include "source/xds/in_force.h"
#include "source/xds/push_status.h"
#include "source/xds/resource_table.h"

namespace egret {

class PushedConfig {
 public:
  using Ms = ResourceTable::Ms;
  static constexpr Ms kMissingAfter = 15'000;
  static constexpr Ms kRetryConflictsEvery = 60'000;

  // The sink outlives it. `release`: for the server to see.
  PushedConfig(std::shared_ptr<const config::v1::Bootstrap> bootstrap, ConfigSink& sink, std::string_view release);

  // Puts what there is in force: at the beginning the bootstrap's own.
  void Start(Ms now);

  // A stream has begun: what to say first.
  std::vector<DiscoveryRequest> Begin();
  void End() { protocol_.End(); }
  // Takes in responses that came one after another, puts them in force at once, and gives what is to be said, in order.
  std::vector<DiscoveryRequest> Take(const std::vector<DiscoveryResponse>& responses, Ms now);

  // A second source, in force until the first complete set from the server. Offered before Start, it is put in force
  // with the bootstrap's own.
  void OfferFallback(ConfigSource source, Bodies bodies);
  std::vector<DiscoveryRequest> TakeFallback(ConfigSource source, Bodies bodies, Ms now);
  bool HasFallback() const { return fallback_.has_value(); }

  // What is due: expiry, what is missing for long, conflicts that may have gone. Gives what is to be said.
  std::vector<DiscoveryRequest> Tick(Ms now);
  std::optional<Ms> NextTick() const;

  // The server has answered all that was asked for, and what can be in force of it is.
  bool IsWhole() const { return source_ == ConfigSource::kXds && IsAnswered(); }
  ConfigSource source() const { return source_; }
  uint64_t responses() const { return status_.responses; }
  uint64_t accepted() const { return status_.accepted; }  // of them
  // Pushed and in force.
  Bodies Pushed() const;
  uint64_t applied() const { return in_force_.applied(); }
  // Without the connection and the directory.
  PushStatus Status() const;

 private:
  struct Answer {
    const DiscoveryResponse* response;
    uint64_t batch;
    std::vector<Rejection> rejections;
  };

  Slots SlotsWith(const std::set<uint64_t>& trial) const;
  void Settle();
  void Refresh();
  void TellMissing();
  bool IsAnswered() const;
  bool TryPending();
  bool TryOne(uint64_t batch);
  void RetryConflicts(const std::set<uint64_t>& but);
  void Park(uint64_t batch, const std::vector<Blame>& blames);
  std::vector<DiscoveryRequest> Ask();
  std::set<std::string> NamesOf(const WireType& type) const;
  bool IsMissing(const ResourceKey& key) const;
  void Tell(const Answer& answer);
  void TellOnce(const std::string& about, std::string text);

  const std::shared_ptr<const config::v1::Bootstrap> bootstrap_;
  const std::vector<WireType> types_;  // what is asked for
  InForce in_force_;
  ResourceTable table_;
  DeltaState protocol_;
  std::optional<Bodies> fallback_;
  ConfigSource fallback_source_ = ConfigSource::kBootstrap;
  ConfigSource source_ = ConfigSource::kBootstrap;
  Choice choice_;                               // as if everything that may be used were
  std::optional<std::set<ResourceKey>> asked_;  // what was wanted when the server was told
  std::map<ResourceKey, Ms> missing_since_;
  std::set<WireType> answered_;                           // types of which a response has come
  std::map<uint64_t, std::vector<Rejection>> conflicts_;  // by batch
  std::map<std::string, std::string> told_;               // by resource: what the log said of it last
  Ms now_ = 0;
  Ms next_retry_ = 0;
  PushStatus status_;  // its counters and errors
};

}  // namespace egret
