// Dialled: a connection to an origin that was made with a DialPermit. It may be watched; to write to it takes a second
// permit that says how it may be used (policy.md, "no second permit, no byte").
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "source/base/check.h"
#include "source/base/ip.h"
#include "source/event/loop.h"
#include "source/io/stream.h"
#include "source/io/stream_io.h"
#include "source/policy/permit.h"

namespace egret {

class Dialled {
 public:
  Dialled(Dialled&&) noexcept = default;
  Dialled& operator=(Dialled&&) noexcept = default;

  Gate& ReadGate() { return stream_->ReadGate(); }
  Gate& GoneGate() { return stream_->GoneGate(); }
  // It ended its side and said nothing before.
  bool EndedSilently() { return EndedUnread(*stream_); }
  // Where it leads: the destination's address; the parent's, where a parent resolves the name.
  const Endpoint& peer() const { return peer_; }

  template <Use U>
  std::unique_ptr<Stream> Open(const UsePermit<U>& permit) && {
    CHECK(permit.Fits(Link{permit_id_, peer_.address, next_hop_}));
    return std::move(stream_);
  }

 private:
  friend class Dialler;
  Dialled(const DialPermit& permit, std::unique_ptr<Stream> stream, Endpoint peer)
      : permit_id_(permit.id()),
        next_hop_(permit.next_hop() ? permit.next_hop()->name() : std::string()),
        stream_(std::move(stream)),
        peer_(peer) {}

  uint64_t permit_id_;
  std::string next_hop_;
  std::unique_ptr<Stream> stream_;
  Endpoint peer_;
};

}  // namespace egret
