// Dialled: a connection to an origin that was made with a DialPermit. It may be watched; to write to it takes a second
// permit that says how it may be used (policy.md, "no second permit, no byte").
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "source/base/check.h"
#include "source/base/ip.h"
#include "source/event/loop.h"
#include "source/io/stream.h"
#include "source/io/stream_io.h"
#include "source/policy/permit.h"
#include "source/upstream/tls_handshake.h"

namespace egret {

class Dialled {
 public:
  Dialled(Dialled&&) noexcept = default;
  Dialled& operator=(Dialled&&) noexcept = default;

  Gate& ReadGate() { return stream_->ReadGate(); }
  Gate& GoneGate() { return stream_->GoneGate(); }
  // It ended its side and said nothing before; within TLS, nothing but that it ends (and session tickets).
  bool EndedSilently() { return tls_ != nullptr ? stream_->PeerDoneGate().open() : EndedUnread(*stream_); }
  // What it said first is no word to its client, but HTTP/2's SETTINGS, which wait for nobody (RFC 9113 3.4).
  bool GreetsAsHttp2() {
    std::array<char, kHttp2FrameHead> head;
    return PeekUnread(*stream_, head) == head.size() && IsHttp2Settings(head);
  }
  // Where it leads: the destination's address; the parent's, where a parent resolves the name.
  const Endpoint& peer() const { return peer_; }

  template <Use U>
  std::unique_ptr<Stream> Open(const UsePermit<U>& permit) && {
    CHECK(permit.Fits(Link{permit_id_, peer_.address, next_hop_}));
    return std::move(stream_);
  }

  // The origin's TLS handshake and nothing else: what is inside stays closed until a second permit opens it. Where it
  // fails nothing is left but peer(). `offer` and this outlive the task.
  Task<TlsOutcome> Secure(const InspectPermit& permit, const TlsOffer& offer, uint64_t timeout_ms) {
    CHECK(permit.Fits(Link{permit_id_, peer_.address, next_hop_}));
    TlsOutcome outcome = co_await ShakeHands(stream_, offer, timeout_ms);
    if (outcome.fault == Fault::kNone) tls_ = static_cast<const TlsStream*>(stream_.get());
    co_return outcome;
  }
  // For the pool. Nothing was said on it but TLS, and whoever has it from there needs a permit of his own.
  std::unique_ptr<Stream> IntoPool() && { return std::move(stream_); }
  // TLS with peer(): an origin's once that went well, or a parent's own. Null: in clear, as far as is known here.
  const TlsStream* tls() const { return tls_; }

 private:
  friend class Dialler;
  static constexpr size_t kHttp2FrameHead = 9;
  // Length (24 bits, settings of 6 bytes each), type 4, no flags, stream 0 (RFC 9113 4.1, 6.5).
  static bool IsHttp2Settings(std::span<const char, kHttp2FrameHead> head) {
    static constexpr std::string_view kTypeFlagsStream{"\x04\0\0\0\0\0", 6};
    const auto length = static_cast<uint8_t>(head[2]);
    return head[0] == 0 && head[1] == 0 && length % 6 == 0 &&
           std::string_view(head.data() + 3, kTypeFlagsStream.size()) == kTypeFlagsStream;
  }

  Dialled(const DialPermit& permit, std::unique_ptr<Stream> stream, Endpoint peer, const TlsStream* tls = nullptr)
      : permit_id_(permit.id()),
        next_hop_(permit.next_hop() ? permit.next_hop()->name() : std::string()),
        stream_(std::move(stream)),
        tls_(tls),
        peer_(peer) {}

  uint64_t permit_id_;
  std::string next_hop_;
  std::unique_ptr<Stream> stream_;
  const TlsStream* tls_ = nullptr;  // the same
  Endpoint peer_;
};

}  // namespace egret
