// Worker: one thread, one loop, and all that its connections share: resolver, pool, policy, log, counters. Nothing here
// is shared with another worker, so nothing is locked; other threads reach it through loop().mailbox().
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "source/base/list.h"
#include "source/chain/access_log.h"
#include "source/chain/connection_ends.h"
#include "source/chain/counters.h"
#include "source/chain/credential_ends.h"
#include "source/chain/leaf_refusals.h"
#include "source/chain/record.h"
#include "source/chain/snapshot.h"
#include "source/event/loop.h"
#include "source/io/resolver.h"
#include "source/tls/leaf_cache.h"
#include "source/upstream/pool.h"

namespace egret {

class LogTail;
class Preview;

class Worker {
 public:
  // `log` may be null: nothing is written then. All must outlive the worker.
  Worker(Loop& loop, std::unique_ptr<Resolver> resolver, LogQueue* log, uint32_t index);
  ~Worker();

  Loop& loop() { return loop_; }
  Resolver& resolver() { return *resolver_; }
  UpstreamPool& pool() { return pool_; }
  LeafCache& leaves() { return leaves_; }
  LeafRefusals& leaf_refusals() { return leaf_refusals_; }
  CredentialEnds& credential_ends() { return credential_ends_; }
  WorkerCounters& counters() { return counters_; }
  DecisionCounts& decisions() { return decisions_; }
  DecisionCounts& audits() { return audits_; }  // what policies that are only audited would have decided
  ListNode& live() { return live_; }            // of ExchangeRecord
  // A walk over what is live that may take several turns: from the youngest to the oldest of those that are there when
  // it begins, without those that end meanwhile. One at a time. Null: it is over.
  void StartWalk() { walk_ = live_.last(); }
  ExchangeRecord* NextOfWalk();
  void LeaveOutOfWalk(const ExchangeRecord& record) {
    if (walk_ == &record) walk_ = record.before();
  }

  // The current one: for one decision, never across a wait.
  const Policy& policy() const { return *snapshot_.policy; }
  const Chains& chains() const { return *snapshot_.chains; }
  const Snapshot& snapshot() const { return snapshot_; }
  // Between two turns of the loop. What it gives belongs to chains that are in force no more: Retire() (drain.h) it.
  [[nodiscard]] std::vector<std::shared_ptr<ConnectionEnds>> Take(Snapshot snapshot);

  // Of connections that run these chains; null: that run none of a listener.
  std::shared_ptr<ConnectionEnds> EndsOf(const ListenerChains* chains);
  // From here on all are told to end. Gives those that there are, for WindDown() (drain.h).
  std::vector<std::shared_ptr<ConnectionEnds>> StartDraining();
  bool draining() const { return draining_; }

  // On the worker's thread, once a tick while memory is scarce: takes this level, and does what has to be done at once.
  void SetOverload(Overload level);
  Overload overload() const { return overload_; }

  // Ends what a live record is of, and what runs inside its tunnel, innermost first.
  void End(ExchangeRecord& record, Failure why);

  // Whether the log or a policy asks for what fingerprints a ClientHello: they are made for nobody else.
  bool WantsFingerprints() const;

  // The candidate that decides beside the policy; null: none does. Whoever gives one keeps a share of its policy until
  // it is taken away again, so that nothing large is freed here.
  Preview* preview() { return preview_.get(); }
  void SetPreview(std::unique_ptr<Preview> preview);

  // Decisions or lines of the log are kept for this one as well. False: too many follow already.
  static constexpr size_t kMostTails = 8;
  bool Follow(std::unique_ptr<LogTail> tail);
  LogTail* FindTail(uint64_t number);
  void Unfollow(uint64_t number);

  int64_t unix_seconds() const;
  uint64_t unix_microseconds() const;
  // 16 hex digits, unique among this fleet's workers for all practical purposes.
  std::string NextRequestId();

  void WriteLog(const ExchangeRecord& record, std::string_view event);
  // To those who follow decisions: the one that the record has.
  void TellDecision(const ExchangeRecord& record);

 private:
  void EndLargest();

  Loop& loop_;
  std::unique_ptr<Resolver> resolver_;
  Snapshot snapshot_;
  WorkerCounters counters_;
  DecisionCounts decisions_, audits_;
  Overload overload_ = Overload::kNone;
  std::unique_ptr<AccessLog> log_;
  std::vector<std::unique_ptr<LogTail>> tails_;
  std::unique_ptr<Preview> preview_;
  uint64_t request_id_;
  bool draining_ = false;
  std::map<const ListenerChains*, std::shared_ptr<ConnectionEnds>> ends_;  // of the chains in force
  std::vector<std::weak_ptr<ConnectionEnds>> retired_;
  ListNode live_;
  ListNode* walk_ = &live_;  // whoever is next; live_ itself: nobody
  UpstreamPool pool_;
  LeafCache leaves_;
  LeafRefusals leaf_refusals_;
  CredentialEnds credential_ends_;
};

}  // namespace egret
