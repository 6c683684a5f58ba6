// How the connections that run one listener's chains, as these were configured when the connections came, are told to
// end: when the process winds down, and when the listener is changed or taken away. One for each worker.
#pragma once

#include "source/event/loop.h"

namespace egret {

struct ConnectionEnds {
  // Opens first: from here on every response says that its connection ends with it.
  Gate draining{false};
  // Where client connections wait between two requests, and where new ones wait that have not asked for anything yet:
  // whoever is woken here ends. drain.h does it, the first in good time, the others later.
  Gate idle{false};
  Gate unasked{false};
};

}  // namespace egret
