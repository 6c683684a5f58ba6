// One stream of discovery to one server, by gRPC and on its threads; what happens is told to an AdsListener.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "source/xds/ads_target.h"
#include "source/xds/delta_state.h"

namespace egret {

// Called on threads of gRPC; must not block.
class AdsListener {
 public:
  virtual ~AdsListener() = default;
  // False: enough for now; nothing more is read until AdsStream::Resume.
  virtual bool OnResponse(uint64_t stream, DiscoveryResponse response) = 0;
  // Once, and the last word. `code` is gRPC's.
  virtual void OnEnd(uint64_t stream, int code, const std::string& message) = 0;
};

class AdsStream {
 public:
  virtual ~AdsStream() = default;  // ends it; waits until gRPC has let go of it, and it was told

  // Each in turn; what the server does not take waits here. Never blocks.
  virtual void Send(DiscoveryRequest request) = 0;
  virtual void Resume() = 0;
};

// Over a connection of its own. `id` is repeated with each event; the listener outlives the stream.
std::unique_ptr<AdsStream> OpenAdsStream(const AdsTarget& target, uint64_t id, AdsListener& listener);

}  // namespace egret
