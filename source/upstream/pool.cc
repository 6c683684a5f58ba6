#include "source/upstream/pool.h"

#include <utility>
#include <vector>

#include "source/base/check.h"

namespace egret {
namespace {

// An origin that closes, or speaks unasked, opens the read gate of an idle link; then one read tells. Anything but
// "nothing there" means that no request may be sent on it.
bool StillQuiet(UpstreamLink& link) {
  return !link.stream->GoneGate().open() && !link.stream->PeerDoneGate().open() && link.client.StillQuiet();
}

}  // namespace

PoolPlace::~PoolPlace() {
  if (pool_ != nullptr) pool_->Leave(key_);
}

UpstreamLink::UpstreamLink(PoolPlace taken, std::unique_ptr<Stream> dialled, Endpoint to, const Http1ClientLimits& with)
    : place(std::move(taken)),
      stream(std::move(dialled)),
      peer(to),
      limits(with),
      client(*stream, limits),
      born_ms(Loop::current()->now_ms()) {
  age.link = this;
}

UpstreamPool::UpstreamPool() {
  sweep_.pool = this;
  sweep_.run = [](Waiter& self) { static_cast<SweepTimer&>(self).pool->Sweep(); };
}

UpstreamPool::~UpstreamPool() { Clear(); }

void UpstreamPool::Clear() {
  std::vector<UpstreamLink*> all;
  for (auto& [key, shelf] : shelves_)
    for (ListNode* node = shelf.idle.first(); node != &shelf.idle; node = node->after())
      all.push_back(static_cast<UpstreamLink*>(node));
  for (UpstreamLink* link : all) Drop(*link);
}

void UpstreamPool::Unshelve(UpstreamLink& idle) {
  idle.Unlink();
  idle.age.Unlink();
  idle_count_.Add(-1);
  const auto at = shelves_.find(idle.key());
  CHECK(at != shelves_.end());
  --at->second.idle_count;
}

void UpstreamPool::Drop(UpstreamLink& idle) {
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

std::unique_ptr<UpstreamLink> UpstreamPool::Take(const PoolKey& key, const Admits& admits) {
  const auto at = shelves_.find(key);
  if (at == shelves_.end()) return nullptr;
  ListNode& idle = at->second.idle;
  UpstreamLink* found = nullptr;
  std::vector<UpstreamLink*> dead;
  for (ListNode* node = idle.last(); node != &idle && found == nullptr; node = node->before()) {
    auto& link = static_cast<UpstreamLink&>(*node);
    if (!StillQuiet(link)) {
      dead.push_back(&link);
    } else if (admits(link.peer.address)) {
      found = &link;
    }
  }
  if (found != nullptr) Unshelve(*found);
  for (UpstreamLink* link : dead) Drop(*link);  // the last one takes the shelf with it
  return std::unique_ptr<UpstreamLink>(found);
}

// Where there is none, whoever idled longest makes way: it is the likeliest to have been ended meanwhile.
bool UpstreamPool::MakeRoom(Shelf& shelf, const PoolLimits& limits) {
  const bool shelf_full = shelf.idle_count >= limits.idle_per_key;
  if (!shelf_full && idle_count_.Read() < static_cast<int64_t>(limits.idle_total)) return true;
  turned_away_.Add();
  const ListNode& oldest = shelf_full ? shelf.idle : by_age_;
  if (oldest.empty()) return false;
  Drop(shelf_full ? static_cast<UpstreamLink&>(*oldest.first())
                  : *static_cast<UpstreamLink::Age*>(oldest.first())->link);
  return true;
}

void UpstreamPool::Put(std::unique_ptr<UpstreamLink> link, const PoolLimits& limits) {
  limits_ = limits;
  const uint64_t now = Loop::current()->now_ms();
  const auto at = shelves_.find(link->key());
  CHECK(at != shelves_.end());
  Shelf& shelf = at->second;
  if (!link->client.reusable() || now - link->born_ms >= limits.max_age_ms || !StillQuiet(*link)) return;
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
  std::vector<UpstreamLink*> over;
  for (auto& [key, shelf] : shelves_) {
    for (ListNode* node = shelf.idle.first(); node != &shelf.idle; node = node->after()) {
      auto& link = static_cast<UpstreamLink&>(*node);
      if (now - link.idle_since_ms >= limits_.idle_ms || now - link.born_ms >= limits_.max_age_ms || !StillQuiet(link))
        over.push_back(&link);
    }
  }
  for (UpstreamLink* link : over) Drop(*link);
  if (idle_count_.Read() > 0) Loop::current()->Arm(sweep_, kSweepMs);
}

}  // namespace egret
