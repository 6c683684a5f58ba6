// The incremental variant of xDS as a state machine: what is subscribed to on this stream, what has to be said next,
// and what is said to a response. It moves no bytes. On the config thread.
//
// Of each type the first request of a stream says all names, and from the second stream of a process on also which
// versions are here. Then only differences travel. A response is answered once, before anything else is said of its
// type; what is asked for anew is said before what is not wanted any more (make before break).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "egret/control/v1/rejection.pb.h"
#include "envoy/config/core/v3/base.pb.h"
#include "envoy/service/discovery/v3/discovery.pb.h"
#include "source/xds/read_resource.h"

namespace egret {

using DiscoveryRequest = envoy::service::discovery::v3::DeltaDiscoveryRequest;
using DiscoveryResponse = envoy::service::discovery::v3::DeltaDiscoveryResponse;
using DiscoveryNode = envoy::config::core::v3::Node;

// The NACK says so many reasons; the rest it counts.
inline constexpr int kMostRejections = 100;

class DeltaState {
 public:
  using Names = std::set<std::string>;
  using Versions = std::function<std::map<std::string, std::string>(const WireType&)>;

  // `versions`: of what is here of a type; asked at the beginning of a stream.
  DeltaState(DiscoveryNode node, Versions versions) : node_(std::move(node)), versions_(std::move(versions)) {}

  // The names that are wanted of a type from now on; {"*"} is all of them. What is to be said of it, if there is a
  // stream.
  std::vector<DiscoveryRequest> Want(const WireType& type, Names names);
  // A stream has begun: its first requests.
  std::vector<DiscoveryRequest> Begin();
  void End() { open_ = false; }

  // Null: nobody asked for this type.
  const WireType* TypeOf(std::string_view url) const;
  bool IsAsked(const WireType& type, const std::string& name) const;

  // Of this response: ACK, or NACK where there are rejections.
  DiscoveryRequest Answer(const DiscoveryResponse& response, const std::vector<control::v1::Rejection>& rejections);

 private:
  struct Type {
    Names wanted;
    Names said;  // on this stream
    bool begun = false;
  };

  std::vector<DiscoveryRequest> Catch(const WireType& type, Type& state);
  DiscoveryRequest First(const WireType& type, Type& state);
  DiscoveryRequest RequestFor(std::string_view url);

  const DiscoveryNode node_;
  const Versions versions_;
  std::map<WireType, Type> types_;
  bool open_ = false;
  bool node_said_ = false;
  uint64_t streams_ = 0;
};

}  // namespace egret
