// Fetches the keys of issuers as long as somebody uses them: before they are old, when one is missed, and again soon
// where that failed. On the main thread, which is the only one that fetches; workers only ever wait for it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "source/auth/key_feed.h"
#include "source/config/build_key_feed.h"
#include "source/event/loop.h"
#include "source/event/nursery.h"
#include "source/server/key_source.h"

namespace egret {

struct KeyFetchStatus {
  std::string url;
  uint64_t fetched = 0, failed = 0;  // times
  int64_t fetched_unix = 0;          // when keys were fetched last; 0: never
};

class KeyFetches {
 public:
  static constexpr uint64_t kLeastMs = 60'000, kMostMs = 3'600'000;  // between two fetches that nobody asks for
  static constexpr uint64_t kUnsaidMs = 600'000;                     // where the issuer does not say how long
  static constexpr uint64_t kAgainMs = 5'000;      // after a failure, and between two that are asked for
  static constexpr uint64_t kFetchMs = 10'000;     // for one
  static constexpr uint64_t kHoldMs = 86'400'000;  // they hold so long where none can be fetched
  static constexpr size_t kMostAskers = 4096;      // who wait for one fetch

  // `on_renewed`: keys may have gone. All outlive it.
  KeyFetches(Loop& main, KeySource& source, std::function<void()> on_renewed);
  ~KeyFetches();

  // On any thread.
  std::shared_ptr<KeyFeed> Open(KeyAddress address);
  // Of those that are in force.
  std::vector<KeyFetchStatus> Status() const;

 private:
  struct Line;
  class Feed;

  void Start(const std::shared_ptr<Line>& line);
  Task<void> Run(std::shared_ptr<Line> line);
  // Puts in force what came. Gives how long until the next.
  uint64_t Take(Line& line, Result<PublishedKeys, Problem> got);
  static void TellAll(Line& line);
  uint64_t TakeFailure(Line& line, const Problem& problem);
  void Replace(Line& line, const std::shared_ptr<const KeySet>& next, std::string json);

  Loop& main_;
  KeySource& source_;
  const std::function<void()> on_renewed_;
  std::vector<std::weak_ptr<const Line>> lines_;
  Nursery tasks_;
};

}  // namespace egret
