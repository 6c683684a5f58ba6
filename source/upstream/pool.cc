#include "source/upstream/pool.h"

#include <utility>

#include "source/base/check.h"

namespace egret {
PoolPlace::~PoolPlace() {
  if (pool_ != nullptr) pool_->Leave(key_);
}

UpstreamPool::UpstreamPool() {
  sweep_.pool = this;
  sweep_.run = [](Waiter& self) { static_cast<SweepTimer&>(self).pool->Sweep(); };
}

UpstreamPool::~UpstreamPool() {
  shared_.Clear();
  Clear();
}

void UpstreamPool::Clear() {
  std::vector<Http1Link*> all;
  for (auto& [key, shelf] : shelves_)
    for (ListNode* node = shelf.idle.first(); node != &shelf.idle; node = node->after())
      all.push_back(static_cast<Http1Link*>(node));
  for (Http1Link* link : all) Drop(*link);
  for (auto& [key, shelf] : shelves_) {
    for (ListNode* node = shelf.shared.first(); node != &shelf.shared; node = node->after()) {
      Http2Client& client = static_cast<Http2Link*>(node)->client;
      if (client.streams() == 0) client.ShutDown();
    }
  }
}

void UpstreamPool::Unshelve(Http1Link& idle) {
  idle.Unlink();
  idle.age.Unlink();
  idle_count_.Add(-1);
  const auto at = shelves_.find(idle.key());
  CHECK(at != shelves_.end());
  --at->second.idle_count;
}

void UpstreamPool::Drop(Http1Link& idle) {
  Unshelve(idle);
  delete &idle;
}

PoolPlace UpstreamPool::Enter(PoolKey key) {
  link_count_.Add(1);
  ++shelves_[key].links;
  return PoolPlace(*this, std::move(key));
}

void UpstreamPool::Leave(const PoolKey& key) {
  link_count_.Add(-1);
  const auto at = shelves_.find(key);
  CHECK(at != shelves_.end());
  if (--at->second.links == 0) shelves_.erase(at);
}

std::optional<PoolPlace> UpstreamPool::Claim(PoolKey key, const PoolLimits& limits) {
  const auto at = shelves_.find(key);
  if (at != shelves_.end() && at->second.links >= limits.links_per_key) return std::nullopt;
  return Enter(std::move(key));
}

// The one that idled least; those on the way that have ended are `dead`.
Http1Link* UpstreamPool::FindIdle(Shelf& shelf, const Admits& admits, std::vector<Http1Link*>& dead) {
  for (ListNode* node = shelf.idle.last(); node != &shelf.idle; node = node->before()) {
    auto& link = static_cast<Http1Link&>(*node);
    if (!link.StillQuiet()) {
      dead.push_back(&link);
    } else if (admits(link.peer.address)) {
      return &link;
    }
  }
  return nullptr;
}

std::unique_ptr<Http1Link> UpstreamPool::Take(const PoolKey& key, const Admits& admits) {
  const auto at = shelves_.find(key);
  if (at == shelves_.end()) return nullptr;
  std::vector<Http1Link*> dead;
  Http1Link* const found = FindIdle(at->second, admits, dead);
  if (found != nullptr) Unshelve(*found);
  for (Http1Link* link : dead) Drop(*link);  // the last one takes the shelf with it
  return std::unique_ptr<Http1Link>(found);
}

Http2Link* UpstreamPool::FindShared(const PoolKey& key, const Admits& admits, uint64_t after) {
  const auto at = shelves_.find(key);
  if (at == shelves_.end()) return nullptr;
  ListNode& shared = at->second.shared;
  for (ListNode* node = shared.first(); node != &shared; node = node->after()) {
    auto& link = static_cast<Http2Link&>(*node);
    if (link.number > after && link.HasRoom() && admits(link.peer.address)) return &link;
  }
  return nullptr;
}

bool UpstreamPool::TakesExtendedConnect(const PoolKey& key) const {
  const auto at = shelves_.find(key);
  if (at == shelves_.end()) return false;
  const ListNode& shared = at->second.shared;
  for (const ListNode* node = shared.first(); node != &shared; node = node->after()) {
    const auto& link = static_cast<const Http2Link&>(*node);
    if (link.HasRoom() && link.client.takes_extended_connect()) return true;
  }
  return false;
}

const TlsStream* UpstreamPool::Look(const PoolKey& key, const Admits& admits) {
  if (const Http2Link* const shared = FindShared(key, admits)) return shared->tls;
  const auto at = shelves_.find(key);
  if (at == shelves_.end()) return nullptr;
  std::vector<Http1Link*> dead;
  const Http1Link* const idle = FindIdle(at->second, admits, dead);
  const TlsStream* const tls = idle != nullptr ? idle->tls : nullptr;
  for (Http1Link* link : dead) Drop(*link);  // the last one takes the shelf with it
  return tls;
}

void UpstreamPool::Share(std::unique_ptr<Http2Link> link) {
  const auto at = shelves_.find(link->key());
  CHECK(at != shelves_.end());
  at->second.shared.PushBack(*link);
  shared_.Start(Run(std::move(link)));
}

// Those who wait for a link may use it from now on.
Task<void> UpstreamPool::Announce(Http2Link& link) {
  Http2Client& client = link.client;
  while (!client.ready() && !client.over()) {
    client.room().Close();
    co_await GateAwaiter(client.room());
  }
  if (client.ready() && link.turn) std::move(*link.turn).FoundHttp2();
  link.turn.reset();
}

Task<void> UpstreamPool::Run(std::unique_ptr<Http2Link> link) {
  Nursery announcing;
  announcing.Start(Announce(*link));
  // How it ended is told by the streams.
  co_await link->client.Run();
  *link->tls_end = EndOf(link->tls);
}

// Where there is none, whoever idled longest makes way: it is the likeliest to have been ended meanwhile.
bool UpstreamPool::MakeRoom(Shelf& shelf, const PoolLimits& limits) {
  const bool shelf_full = shelf.idle_count >= limits.idle_per_key;
  if (!shelf_full && idle_count_.Read() < static_cast<int64_t>(limits.idle_total)) return true;
  turned_away_.Add();
  const ListNode& oldest = shelf_full ? shelf.idle : by_age_;
  if (oldest.empty()) return false;
  Drop(shelf_full ? static_cast<Http1Link&>(*oldest.first()) : *static_cast<Http1Link::Age*>(oldest.first())->link);
  return true;
}

void UpstreamPool::Put(std::unique_ptr<Http1Link> link, const PoolLimits& limits) {
  limits_ = limits;
  const uint64_t now = Loop::current()->now_ms();
  const auto at = shelves_.find(link->key());
  CHECK(at != shelves_.end());
  Shelf& shelf = at->second;
  if (!link->client.reusable() || now - link->born_ms >= limits.max_age_ms || !link->StillQuiet()) return;
  if (!MakeRoom(shelf, limits)) return;
  link->idle_since_ms = now;
  by_age_.PushBack(link->age);
  shelf.idle.PushBack(*link.release());
  ++shelf.idle_count;
  idle_count_.Add(1);
  if (!sweep_.linked()) Loop::current()->Arm(sweep_, kSweepMs);
}

void UpstreamPool::Sweep() {
  const uint64_t now = Loop::current()->now_ms();
  std::vector<Http1Link*> over;
  for (auto& [key, shelf] : shelves_) {
    for (ListNode* node = shelf.idle.first(); node != &shelf.idle; node = node->after()) {
      auto& link = static_cast<Http1Link&>(*node);
      if (now - link.idle_since_ms >= limits_.idle_ms || now - link.born_ms >= limits_.max_age_ms || !link.StillQuiet())
        over.push_back(&link);
    }
  }
  for (Http1Link* link : over) Drop(*link);
  if (idle_count_.Read() > 0) Loop::current()->Arm(sweep_, kSweepMs);
}

}  // namespace egret
