#include "source/upstream/dial_turns.h"

#include "source/base/check.h"
#include "source/event/combine.h"

namespace egret {

DialTurn::~DialTurn() {
  if (turns_ != nullptr) turns_->PassOn(key_);
}

void DialTurn::FoundHttp2() && {
  DialTurns& turns = *std::exchange(turns_, nullptr);
  turns.http1_until_.erase(key_);
  turns.CallAll(key_);
}

void DialTurn::FoundHttp1() && {
  DialTurns& turns = *std::exchange(turns_, nullptr);
  turns.Remember(key_);
  turns.CallAll(key_);
}

void DialTurn::FoundNothing() && { std::exchange(turns_, nullptr)->CallAll(key_); }

bool DialTurns::SpeaksHttp1(const PoolKey& key) const {
  const auto at = http1_until_.find(key);
  return at != http1_until_.end() && Loop::current()->now_ms() < at->second;
}

std::optional<DialTurn> DialTurns::Take(const PoolKey& key) {
  if (!taken_.try_emplace(key).second) return std::nullopt;
  return DialTurn(*this, key);
}

Task<std::optional<DialTurn>> DialTurns::Wait(PoolKey key, uint64_t ms) {
  const auto at = taken_.find(key);
  if (at == taken_.end()) co_return std::nullopt;
  Waiting self(*this, key);
  at->second.PushBack(self);
  co_await GateWithin(self.called, ms);
  if (!std::exchange(self.has_turn, false)) co_return std::nullopt;
  co_return DialTurn(*this, key);
}

void DialTurns::PassOn(const PoolKey& key) {
  const auto at = taken_.find(key);
  CHECK(at != taken_.end());
  if (at->second.empty()) {
    taken_.erase(at);
    return;
  }
  auto& next = static_cast<Waiting&>(*at->second.first());
  next.Unlink();
  next.has_turn = true;
  next.called.Open();
}

void DialTurns::CallAll(const PoolKey& key) {
  const auto at = taken_.find(key);
  CHECK(at != taken_.end());
  ListNode& waiting = at->second;
  while (!waiting.empty()) {
    auto& one = static_cast<Waiting&>(*waiting.first());
    one.Unlink();
    one.called.Open();
  }
  taken_.erase(at);
}

void DialTurns::Remember(const PoolKey& key) {
  if (http1_until_.size() >= kMostRemembered) http1_until_.clear();  // it costs each of them one turn more
  http1_until_[key] = Loop::current()->now_ms() + kRememberMs;
}

}  // namespace egret
