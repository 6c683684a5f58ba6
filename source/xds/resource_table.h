// What a control plane has sent: of each name the newest word, good or not, and which response it came with.
//
// A server may take a response for delivered once it is sent, and never look at a refusal. So nothing is thrown away:
// where one resource of a response is bad, all of them are parked, kept and not used. A parked one leaves when a newer
// word about its name comes; once none of its response is bad any more, the rest of it is used. Other responses go on
// meanwhile. On the config thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "envoy/service/discovery/v3/discovery.pb.h"
#include "source/xds/choose.h"
#include "source/xds/read_resource.h"
#include "source/xds/rejection.h"
#include "source/xds/resource.h"

namespace egret {

using DiscoveryResponse = envoy::service::discovery::v3::DeltaDiscoveryResponse;

class ResourceTable {
 public:
  using Ms = int64_t;  // of a clock that only goes forward
  enum class State : uint8_t {
    kPending,   // good as far as each resource goes; not tried together with the rest yet
    kUsed,      // to be used
    kBad,       // one of its resources is bad
    kConflict,  // each is good, but not with the rest
  };

  explicit ResourceTable(ReadRules rules, std::set<ResourceKey> owned)
      : rules_(std::move(rules)), owned_(std::move(owned)) {}

  struct Taken {
    uint64_t batch = 0;
    std::vector<Rejection> rejections;  // none: it can be used, as far as it goes by itself
    std::vector<std::string> unasked;   // names that nobody asked for; they are ignored
    uint64_t unknown = 0;               // fields and values that this release does not know, and left out
  };
  // `asked`: whether a name is subscribed to.
  Taken Take(const WireType& type, const DiscoveryResponse& response, Ms now,
             const std::function<bool(const std::string&)>& asked);

  // Batches in this state, oldest first.
  std::vector<uint64_t> BatchesThat(State state) const;
  // From now on it is used, its removals are final.
  void Use(uint64_t batch);
  // It does not go with the rest; `blamed`: what was said of which of its resources.
  void Park(uint64_t batch, const std::map<ResourceKey, std::vector<ConfigError>>& blamed);

  bool Has(uint64_t batch) const { return batches_.contains(batch); }
  bool AllUsed() const { return batches_.empty(); }

  // What to put together, as if those in `trial` were used.
  Slots SlotsWith(const std::set<uint64_t>& trial = {}) const;

  // Drops what was not confirmed in time. True: something was.
  bool Expire(Ms now);
  std::optional<Ms> NextExpiry() const;
  // Forgets what is not asked for any more.
  void Retain(const WireType& type, const std::set<std::string>& asked);

  // Whether the server has said anything about it: it is there, or there is none.
  bool IsAnswered(const WireType& type, const std::string& name) const;
  // Name to version of what was received and not removed.
  std::map<std::string, std::string> Versions(const WireType& type) const;

  struct Row {
    std::optional<ResourceType> type;  // none: it came in a carrier and could not be read
    std::string_view name;
    std::string_view version;
    const ResourceBody* body;  // null: it could not be read
    State state = State::kUsed;
    std::vector<ConfigError> errors = {};
    std::string_view bad_beside = {};  // of what is parked without an error of its own: what has one
  };
  // As long as nothing changes. Removals that are not in force yet are left out.
  std::vector<Row> Rows() const;

 private:
  using WireName = std::pair<WireType, std::string>;
  struct Entry {
    std::string version = {};
    BodyPtr body = {};  // none: a removal, or it could not be read
    bool removed = false;
    std::string digest = {};               // of what came, read or not
    uint64_t batch = 0;                    // 0: it is used
    std::vector<ConfigError> errors = {};  // of it alone
    bool anew = false;                     // ... and not of what it is alone: the same may be good when it comes again
    std::vector<ConfigError> conflicts = {};  // beside the rest
    std::set<ResourceKey> before = {};        // what this name was until now: in force as long as this is parked
    std::optional<Ms> expires = {};
  };
  struct Batch {
    State state = State::kPending;
    std::set<WireName> names;
    std::set<WireName> bad;
  };
  struct Arrival {
    WireName name;
    Entry entry;
    bool known = false;  // the same was judged before
  };

  static void Refuse(Entry& entry, std::string why, std::string remedy);
  Arrival Read(const WireType& type, const envoy::service::discovery::v3::Resource& resource, Ms now) const;
  bool Heartbeat(const WireName& name, const envoy::service::discovery::v3::Resource& resource, Ms now);
  void CheckKeys(std::vector<Arrival>& arrivals) const;
  static void CheckMeaning(std::vector<Arrival>& arrivals);
  void Remove(const WireName& name, uint64_t batch);
  void Put(const WireName& name, Entry entry, uint64_t batch);
  void Erase(std::map<WireName, Entry>::iterator at);
  void Leave(const WireName& name, uint64_t batch);
  bool IsUsed(const Entry& entry, const std::set<uint64_t>& trial) const;

  const ReadRules rules_;
  const std::set<ResourceKey> owned_;
  std::map<WireName, Entry> entries_;
  std::set<WireName> absent_;  // of which the server has said that there is none
  std::map<ResourceKey, WireName> holders_;
  std::map<uint64_t, Batch> batches_;
  uint64_t last_batch_ = 0;
  size_t timed_ = 0;  // entries that expire
};

}  // namespace egret
