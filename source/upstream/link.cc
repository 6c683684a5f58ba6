#include "source/upstream/link.h"

#include <utility>

#include "source/event/loop.h"

namespace egret {

Http1Link::Http1Link(PoolPlace taken, std::unique_ptr<Stream> dialled, Endpoint to, const Http1ClientLimits& with)
    : place(std::move(taken)),
      stream(std::move(dialled)),
      peer(to),
      limits(with),
      client(*stream, limits),
      born_ms(Loop::current()->now_ms()) {
  age.link = this;
}

bool Http1Link::StillQuiet() {
  return !stream->GoneGate().open() && !stream->PeerDoneGate().open() && client.StillQuiet();
}

Http2Link::Http2Link(PoolPlace taken, std::unique_ptr<Stream> dialled, Endpoint to, const Http2Limits& with)
    : place(std::move(taken)), stream(std::move(dialled)), peer(to), limits(with), client(*stream, limits) {}

}  // namespace egret
