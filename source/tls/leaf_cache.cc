#include "source/tls/leaf_cache.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <array>
#include <optional>
#include <utility>

#include "source/base/check.h"
#include "source/event/loop.h"
#include "source/event/wait.h"

namespace egret {
namespace {

std::string KeyOf(const CertificateAuthority& authority, std::string_view target, const X509* origin) {
  const uint64_t generation = authority.generation();
  std::string key(reinterpret_cast<const char*>(&generation), sizeof generation);
  std::array<unsigned char, 32> digest{};
  if (origin != nullptr) CHECK(X509_digest(origin, EVP_sha256(), digest.data(), nullptr) == 1);
  key.append(reinterpret_cast<const char*>(digest.data()), digest.size());
  key += target;
  return key;
}

}  // namespace

// A mint that is under way; whoever waits for it holds it, so that it outlives both them and the table.
struct LeafCache::Flight {
  std::string key;
  std::optional<Result<LeafPtr, Problem>> outcome;
  Gate landed{false};
};

Task<Result<LeafPtr, Problem>> LeafCache::Get(std::shared_ptr<const CertificateAuthority> authority,
                                              std::string_view target, const X509* origin, int64_t now) {
  std::string key = KeyOf(*authority, target, origin);
  if (LeafPtr leaf = Find(key, now)) co_return leaf;
  std::shared_ptr<Flight> flight;
  if (const auto at = flights_.find(key); at != flights_.end()) {
    flight = at->second;
    counters_.waited.Add();
  } else if (flights_.size() >= limits_.in_flight) {
    counters_.failed.Add();
    co_return Problem{"too many leaves wait for the signer"};
  } else {
    flight = std::make_shared<Flight>();
    flight->key = key;
    flights_.emplace(std::move(key), flight);
    LeafRequest request{NamesForLeaf(target, origin), origin != nullptr ? NotAfter(origin) : 0};
    minting_.Start(Fly(flight, std::move(authority), std::move(request), now));
  }
  while (!flight->outcome) co_await GateAwaiter(flight->landed);
  co_return *flight->outcome;
}

Task<void> LeafCache::Fly(std::shared_ptr<Flight> flight, std::shared_ptr<const CertificateAuthority> authority,
                          LeafRequest request, int64_t now) {
  flight->outcome = co_await MintLeaf(std::move(authority), std::move(request), now);
  flights_.erase(flight->key);
  if (*flight->outcome) {
    counters_.minted.Add();
    Keep(flight->key, **flight->outcome);
  } else {
    counters_.failed.Add();
  }
  flight->landed.Open();
}

LeafPtr LeafCache::Find(const std::string& key, int64_t now) {
  const auto at = by_key_.find(key);
  if (at == by_key_.end()) return nullptr;
  const auto entry = at->second;
  if (entry->leaf->renew_at <= now) {
    Drop(entry);
    return nullptr;
  }
  by_use_.splice(by_use_.begin(), by_use_, entry);
  counters_.cached.Add();
  return entry->leaf;
}

void LeafCache::Keep(const std::string& key, LeafPtr leaf) {
  if (leaf->bytes > limits_.bytes) return;
  bytes_ += leaf->bytes;
  by_use_.push_front({key, std::move(leaf)});
  by_key_.emplace(by_use_.front().key, by_use_.begin());
  counters_.leaves.Add(1);
  while (by_use_.size() > limits_.leaves || bytes_ > limits_.bytes) Drop(std::prev(by_use_.end()));
}

void LeafCache::Drop(std::list<Entry>::iterator entry) {
  bytes_ -= entry->leaf->bytes;
  counters_.leaves.Add(-1);
  by_key_.erase(entry->key);
  by_use_.erase(entry);
}

}  // namespace egret
