// The leaves that a worker has minted: each once, however many handshakes wait for it, and kept while there is room. A
// leaf is known by its CA's generation, by what the client wanted, and by the origin's own certificate: where one of
// them changes another leaf is minted, and the old one goes as the least used. Single-threaded.
#pragma once

#include <openssl/types.h>

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "source/base/counter.h"
#include "source/base/result.h"
#include "source/event/nursery.h"
#include "source/event/task.h"
#include "source/tls/authority.h"
#include "source/tls/leaf.h"

namespace egret {

class LeafCache {
 public:
  struct Limits {
    size_t leaves = 8192;
    size_t bytes = size_t{32} << 20;
    size_t in_flight = 1024;  // that a signer outside has not answered for yet; beyond it a mint is refused
  };
  // Each that was asked for is one of these, once it is known which. Read by other threads.
  struct Counters {
    Counter cached;  // it was there
    Counter minted;
    Counter waited;  // for a mint that another handshake had asked for
    Counter failed;  // the signer, or there was no room to wait for it
    Gauge leaves;    // that are kept
  };

  LeafCache() : LeafCache(Limits()) {}
  explicit LeafCache(Limits limits) : limits_(limits) {}

  // `target`: as NamesForLeaf() takes it. `origin`: its leaf, not needed any more once this waits; null where it has
  // not been asked yet. `now`: seconds since 1970. A signer outside may take its time: callers bound it, and what it
  // brings is kept even if they are gone by then.
  Task<Result<LeafPtr, Problem>> Get(std::shared_ptr<const CertificateAuthority> authority, std::string_view target,
                                     const X509* origin, int64_t now);

  size_t bytes() const { return bytes_; }
  const Counters& counters() const { return counters_; }

 private:
  struct Entry {
    std::string key;
    LeafPtr leaf;
  };
  struct Flight;
  LeafPtr Find(const std::string& key, int64_t now);
  void Keep(const std::string& key, LeafPtr leaf);
  void Drop(std::list<Entry>::iterator entry);
  Task<void> Fly(std::shared_ptr<Flight> flight, std::shared_ptr<const CertificateAuthority> authority,
                 LeafRequest request, int64_t now);

  const Limits limits_;
  std::list<Entry> by_use_;  // the latest first
  std::map<std::string_view, std::list<Entry>::iterator> by_key_;
  size_t bytes_ = 0;
  Counters counters_;
  std::map<std::string, std::shared_ptr<Flight>, std::less<>> flights_;
  Nursery minting_;
};

}  // namespace egret
