// One stream to one server, by gRPC and on its threads; what happens is told to a listener. Of the two streams that
// there are, discovery and fleet, both run over one connection, so that they are with the same replica.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "egret/control/v1/fleet.pb.h"
#include "source/xds/ads_target.h"
#include "source/xds/delta_state.h"

namespace grpc {
class Channel;
}

namespace egret {

// Called on threads of gRPC; must not block.
template <class Received>
class StreamListener {
 public:
  virtual ~StreamListener() = default;
  // False: enough for now; nothing more is read until ServerStream::Resume.
  virtual bool OnReceived(uint64_t stream, Received message) = 0;
  // Once, and the last word. `code` is gRPC's.
  virtual void OnEnd(uint64_t stream, int code, const std::string& message) = 0;
};

template <class Sent>
class ServerStream {
 public:
  virtual ~ServerStream() = default;  // ends it; waits until gRPC has let go of it, and it was told

  // Each in turn; what the server does not take waits here. Never blocks.
  virtual void Send(Sent message) = 0;
  // How many wait.
  virtual size_t waiting() = 0;
  virtual void Resume() = 0;
};

// A connection of its own, made when it is first needed.
using ServerChannel = std::shared_ptr<grpc::Channel>;
ServerChannel OpenChannel(const AdsTarget& target);

using AdsStream = ServerStream<DiscoveryRequest>;
using AdsListener = StreamListener<DiscoveryResponse>;
using FleetStream = ServerStream<control::v1::Report>;
using FleetListener = StreamListener<control::v1::Command>;

// `id` is repeated with each event; the listener outlives the stream.
std::unique_ptr<AdsStream> OpenAdsStream(const ServerChannel& channel, uint64_t id, AdsListener& listener);
std::unique_ptr<FleetStream> OpenFleetStream(const ServerChannel& channel, uint64_t id, FleetListener& listener);

}  // namespace egret
