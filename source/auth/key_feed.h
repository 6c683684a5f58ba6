// The keys of an issuer that publishes them at a URL: whichever were fetched last, and how newer ones come. Who fetches
// them, and how, is handed in.
#pragma once

#include <memory>
#include <variant>

#include "source/auth/jwks.h"
#include "source/base/current.h"
#include "source/event/pending.h"

namespace egret {

class KeyFeed {
 public:
  using Looked = std::monostate;

  virtual ~KeyFeed() = default;  // on any thread: nothing is fetched any more
  // Without any key until the first were fetched, and when those that were have grown too old.
  virtual std::shared_ptr<const Current<KeySet>> keys() const = 0;
  // On the main thread, when it is put in force; again, it is nothing.
  virtual void Begin() = 0;
  // On a worker's thread: a token names a key that there is not. The answer comes to its loop, always and once, when
  // the keys have been looked for, with whatever success; at once where that was done just now. Never blocks.
  virtual void Look(const Pending<Looked>& answer) const = 0;
};

}  // namespace egret
