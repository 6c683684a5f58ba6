// The preview of a candidate policy on this proxy: compiled aside, shown to every worker, what they find put together,
// and taken away when its time is over or nobody asks for it any more. One at a time. On the main thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/base/result.h"
#include "source/chain/change_table.h"
#include "source/config/error.h"
#include "source/event/loop.h"
#include "source/event/nursery.h"
#include "source/event/task.h"
#include "source/server/ask_workers.h"
#include "source/server/configuration.h"
#include "source/server/work_thread.h"

namespace egret {

class Previews {
 public:
  using Errors = std::vector<ConfigError>;
  // Reads the candidate; called on a thread where that may take its time.
  using Source = std::function<Result<config::v1::Resources, Errors>()>;

  // All outlive it.
  Previews(Loop& main, const std::shared_ptr<const Configuration>& now, const ConfigurationMaker& maker,
           const Workers& workers)
      : main_(main), now_(now), maker_(maker), workers_(workers) {}
  ~Previews() { Stop(); }

  // The preview lives as long as this does, and no longer than its time.
  class Hold {
   public:
    Hold(Previews& previews, uint32_t number) : previews_(previews), number_(number) {}
    ~Hold() { previews_.End(number_); }
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;
    uint32_t number() const { return number_; }

   private:
    Previews& previews_;
    const uint32_t number_;
  };

  // Begun once every worker has the candidate; the preview that ran before has ended then. Or why it cannot be.
  Task<Result<std::unique_ptr<Hold>, Errors>> Begin(Source source, uint64_t for_ms);
  bool running() const { return running_ != nullptr; }
  // Milliseconds that are left of it; 0: it is over.
  uint64_t Left(uint32_t number) const;

  struct News {
    ChangeTable::Rows rows;  // what has come since the last time, of rows that the table has
    // In all:
    uint64_t decisions = 0, skipped = 0, overflow = 0;
  };
  // What the workers have found since they were asked last.
  Task<News> Take(uint32_t number);
  // Before the workers end.
  void Stop();

  // Of all previews, for metrics.
  struct Totals {
    uint64_t decisions = 0, changed = 0, skipped = 0;
  };
  const Totals& totals() const { return totals_; }

 private:
  struct Running {
    uint32_t number = 0;
    uint64_t end_ms = 0;  // the loop's clock
    std::shared_ptr<const Policy> candidate;
    ChangeTable table;
    uint64_t decisions = 0, skipped = 0;
  };
  // Nothing where it has ended already.
  void End(uint32_t number);
  Task<void> Expire(uint32_t number, uint64_t in_ms);
  Task<void> TakeAway(uint32_t number, std::shared_ptr<const Policy> candidate);

  Loop& main_;
  const std::shared_ptr<const Configuration>& now_;
  const ConfigurationMaker& maker_;
  const Workers& workers_;
  uint32_t last_number_ = 0;
  std::unique_ptr<Running> running_;  // null: none does
  Totals totals_;
  WorkThread aside_;
  Nursery tasks_;
};

}  // namespace egret
