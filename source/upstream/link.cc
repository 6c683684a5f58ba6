#include "source/upstream/link.h"

#include <utility>

#include "source/event/loop.h"
#include "source/tls/tls_stream.h"

namespace egret {

namespace {

uint64_t NextNumber() {
  static thread_local uint64_t last = 0;
  return ++last;
}

}  // namespace

TlsOutcome EndOf(const TlsStream* tls) {
  if (tls == nullptr) return {};
  return {.fault = tls->fault(), .detail = tls->detail()};
}

Http1Link::Http1Link(NewLink made, const Http1ClientLimits& with)
    : place(std::move(made.place)),
      stream(std::move(made.stream)),
      peer(made.peer),
      tls(made.tls),
      limits(with),
      client(*stream, limits),
      born_ms(Loop::current()->now_ms()) {
  age.link = this;
}

bool Http1Link::StillQuiet() {
  return !stream->GoneGate().open() && !stream->PeerDoneGate().open() && client.StillQuiet();
}

Http2Link::Http2Link(NewLink made, const Http2Limits& with, Http2LimitHits& hits)
    : place(std::move(made.place)),
      stream(std::move(made.stream)),
      peer(made.peer),
      tls(made.tls),
      turn(std::move(made.turn)),
      number(NextNumber()),
      limits(with),
      client(*stream, limits, hits) {}

}  // namespace egret
