#include "source/chain/worker.h"

#include <sys/random.h>
#include <time.h>

#include <set>
#include <utility>

#include "source/base/buffer.h"
#include "source/base/check.h"
#include "source/base/log.h"
#include "source/chain/log_tail.h"
#include "source/chain/preview.h"
#include "source/policy/policy.h"

namespace egret {
namespace {

uint64_t RandomSeed() {
  uint64_t seed = 0;
  CHECK(getrandom(&seed, sizeof seed, 0) == sizeof seed);
  return seed;
}

}  // namespace

Worker::Worker(Loop& loop, std::unique_ptr<Resolver> resolver, LogQueue* log, uint32_t index)
    : loop_(loop),
      resolver_(std::move(resolver)),
      log_(log != nullptr ? std::make_unique<AccessLog>(*log) : nullptr),
      request_id_(RandomSeed() + index) {
  EndsOf(nullptr);
}

Worker::~Worker() = default;

std::vector<std::shared_ptr<ConnectionEnds>> Worker::Take(Snapshot snapshot) {
  std::set<const ListenerChains*> stay = {nullptr};
  for (const auto& [name, chains] : snapshot.chains->listeners) stay.insert(chains.get());
  for (const ListenerChains* const chains : stay) EndsOf(chains);
  std::erase_if(retired_, [](const auto& ends) { return ends.expired(); });
  std::vector<std::shared_ptr<ConnectionEnds>> retired;
  std::erase_if(ends_, [&](const auto& entry) {
    if (stay.contains(entry.first)) return false;
    retired.push_back(entry.second);
    retired_.push_back(entry.second);
    return true;
  });
  snapshot_ = std::move(snapshot);
  credential_ends_.Stir();  // other lists of users, workloads and keys may have come with it
  return retired;
}

std::shared_ptr<ConnectionEnds> Worker::EndsOf(const ListenerChains* chains) {
  std::shared_ptr<ConnectionEnds>& ends = ends_[chains];
  if (ends == nullptr) {
    ends = std::make_shared<ConnectionEnds>();
    if (draining_) ends->draining.Open();
  }
  return ends;
}

std::vector<std::shared_ptr<ConnectionEnds>> Worker::StartDraining() {
  draining_ = true;
  std::vector<std::shared_ptr<ConnectionEnds>> all;
  all.reserve(ends_.size() + retired_.size());
  for (const auto& [chains, ends] : ends_) all.push_back(ends);
  for (const auto& retired : retired_)
    if (auto ends = retired.lock()) all.push_back(std::move(ends));
  for (const auto& ends : all) ends->draining.Open();
  return all;
}

uint64_t Worker::unix_microseconds() const {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000 + static_cast<uint64_t>(now.tv_nsec) / 1000;
}

void Worker::End(ExchangeRecord& record, Failure why) {
  for (ListNode* node = live_.first(); node != &live_; node = node->after()) {
    auto& inner = static_cast<ExchangeRecord&>(*node);
    if (!inner.parent_id.empty() && inner.parent_id == record.request_id) End(inner, why);
  }
  if (record.running != nullptr) record.running->End(why);
}

ExchangeRecord* Worker::NextOfWalk() {
  if (walk_ == &live_) return nullptr;
  auto* const record = static_cast<ExchangeRecord*>(walk_);
  walk_ = record->before();
  return record;
}

void Worker::SetOverload(Overload level) {
  counters_.overload_level.Add(static_cast<int64_t>(level) - static_cast<int64_t>(overload_));
  overload_ = level;
  if (level == Overload::kNone) return;
  if (pool_.idle().Read() > 0) {
    pool_.Clear();
    counters_.overload_actions.Add(OverloadAction::kDropIdleLinks);
  }
  Buffer::FreeUnused();
  if (level == Overload::kHard) EndLargest();
}

// Whoever has most bytes in hand, and among equals has moved most: what holds memory here are slow readers of much.
void Worker::EndLargest() {
  ExchangeRecord* largest = nullptr;
  std::pair<uint64_t, uint64_t> most;
  for (ListNode* node = live_.first(); node != &live_; node = node->after()) {
    auto& record = static_cast<ExchangeRecord&>(*node);
    if (record.running == nullptr) continue;
    const auto size = std::make_pair(record.bytes_held(), record.bytes_moved());
    if (largest != nullptr && size <= most) continue;
    largest = &record;
    most = size;
  }
  if (largest == nullptr) return;
  counters_.overload_actions.Add(OverloadAction::kEndLargest);
  End(*largest, {Side::kEgret, Fault::kOverload});
}

int64_t Worker::unix_seconds() const {
  timespec now;
  clock_gettime(CLOCK_REALTIME_COARSE, &now);
  return now.tv_sec;
}

// A counter sent through a mixing function: unique for 2^64 requests, and of no use for guessing load.
std::string Worker::NextRequestId() {
  uint64_t x = request_id_ += 0x9e3779b97f4a7c15;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
  x = (x ^ x >> 27) * 0x94d049bb133111eb;
  x ^= x >> 31;
  std::string id(16, '0');
  for (size_t i = id.size(); i-- > 0; x >>= 4) id[i] = "0123456789abcdef"[x & 15];
  return id;
}

bool Worker::WantsFingerprints() const {
  return (log_ != nullptr && log_->fingerprints()) ||
         (snapshot_.policy != nullptr && snapshot_.policy->UsesFingerprints()) ||
         (preview_ != nullptr && preview_->UsesFingerprints());
}

void Worker::WriteLog(const ExchangeRecord& record, std::string_view event) {
  const uint64_t took_ms = loop_.now_ms() - record.started_ms;
  for (const auto& tail : tails_) tail->Add(record, event, took_ms);
  if (log_ != nullptr) log_->Write(record, event, took_ms);
}

void Worker::TellDecision(const ExchangeRecord& record) {
  for (const auto& tail : tails_) tail->AddDecision(record, unix_microseconds());
}

void Worker::SetPreview(std::unique_ptr<Preview> preview) { preview_ = std::move(preview); }

bool Worker::Follow(std::unique_ptr<LogTail> tail) {
  if (tails_.size() == kMostTails) return false;
  tails_.push_back(std::move(tail));
  return true;
}

LogTail* Worker::FindTail(uint64_t number) {
  for (const auto& tail : tails_)
    if (tail->number() == number) return tail.get();
  return nullptr;
}

void Worker::Unfollow(uint64_t number) {
  std::erase_if(tails_, [number](const auto& tail) { return tail->number() == number; });
}

RecordHolder::RecordHolder(Worker& worker) : worker_(&worker), record_(std::make_unique<ExchangeRecord>()) {
  record_->started_unix_us = worker.unix_microseconds();
  record_->started_ms = worker.loop().now_ms();
  record_->request_id = worker.NextRequestId();
  worker.live().PushBack(*record_);
}

RecordHolder& RecordHolder::operator=(RecordHolder&& other) noexcept {
  if (this != &other) {
    Finish();
    worker_ = other.worker_;
    record_ = std::move(other.record_);
  }
  return *this;
}

void RecordHolder::OpenTunnel() {
  record_->kind = ExchangeRecord::Kind::kTunnel;
  record_->open_tunnel = true;
  worker_->counters().tunnels.Add();
  worker_->counters().tunnels_active.Add(1);
  worker_->WriteLog(*record_, "open");
}

void RecordHolder::Finish() {
  if (record_ == nullptr) return;
  const std::unique_ptr<ExchangeRecord> record = std::move(record_);
  worker_->LeaveOutOfWalk(*record);
  WorkerCounters& counters = worker_->counters();
  const uint64_t took_ms = worker_->loop().now_ms() - record->started_ms;
  if (record->open_tunnel) counters.tunnels_active.Add(-1);
  if (record->kind == ExchangeRecord::Kind::kTunnel) {
    counters.tunnel_duration.Observe(took_ms);
  } else if (record->kind == ExchangeRecord::Kind::kRequest) {
    counters.request_duration.Observe(took_ms);
    counters.request_size.Observe(record->received_bytes);
    counters.response_size.Observe(record->sent_bytes);
    const auto status_class = static_cast<size_t>(record->status / 100);
    counters.responses[status_class < counters.responses.size() ? status_class : 0].Add();
  }
  if (record->failure) counters.failures[static_cast<size_t>(record->failure.fault)].Add();
  counters.received_bytes.Add(record->received_bytes);
  counters.sent_bytes.Add(record->sent_bytes);
  Log(LogComponent::kHttp, LogLevel::kDebug, record->request_id, ' ', record->method, ' ', record->target, ": ",
      record->status, ' ', TextOf(record->failure.fault).detail, " after ", took_ms, " ms");
  worker_->WriteLog(*record, "end");
}

}  // namespace egret
