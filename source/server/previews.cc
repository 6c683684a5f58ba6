#include "source/server/previews.h"

#include <utility>

#include "source/base/log.h"
#include "source/chain/preview.h"
#include "source/config/candidate.h"
#include "source/event/pending.h"
#include "source/event/wait.h"

namespace egret {
namespace {

using Compiled = Result<std::shared_ptr<const Policy>, Previews::Errors>;

// Whoever asked may take it away before that.
constexpr uint64_t kLingerMs = 5000;

Compiled Compile(const Previews::Source& source, const Configuration& now, std::vector<Endpoint> own) {
  const Result<config::v1::Resources, Previews::Errors> candidate = source();
  if (!candidate) return candidate.error();
  return CompileCandidate(*now.bootstrap, *candidate, std::move(own));
}

Preview::Gathered GatheredBy(Worker& worker, uint32_t number) {
  Preview* const preview = worker.preview();
  return preview != nullptr && preview->number() == number ? preview->Take() : Preview::Gathered();
}

}  // namespace

Task<Result<std::unique_ptr<Previews::Hold>, Previews::Errors>> Previews::Begin(Source source, uint64_t for_ms) {
  Pending<std::shared_ptr<Compiled>> compiled;
  aside_.Do([source = std::move(source), now = now_, own = maker_.OwnOf(*now_), state = compiled.state(),
             main = main_.mailbox()] {
    using Answer = Pending<std::shared_ptr<Compiled>>;
    Answer::FulfilFrom(main, state, std::make_shared<Compiled>(Compile(source, *now, own)));
  });
  const std::shared_ptr<Compiled> candidate = co_await compiled;
  if (!*candidate) co_return candidate->error();
  if (running_ != nullptr) End(running_->number);
  const uint32_t number = ++last_number_;
  running_ = std::make_unique<Running>();
  running_->number = number;
  running_->end_ms = main_.now_ms() + for_ms;
  running_->candidate = **candidate;
  auto hold = std::make_unique<Hold>(*this, number);
  tasks_.Start(Expire(number, for_ms + kLingerMs));
  co_await AskWorkers<bool>(workers_, main_, [number, policy = **candidate](Worker& worker) {
    worker.SetPreview(std::make_unique<Preview>(number, policy));
    return true;
  });
  Log(LogComponent::kPolicy, LogLevel::kInfo, "a candidate policy is previewed for ", for_ms / 1000, " s");
  co_return std::move(hold);
}

uint64_t Previews::Left(uint32_t number) const {
  if (running_ == nullptr || running_->number != number || main_.now_ms() >= running_->end_ms) return 0;
  return running_->end_ms - main_.now_ms();
}

Task<Previews::News> Previews::Take(uint32_t number) {
  std::vector<Preview::Gathered> all = co_await AskWorkers<Preview::Gathered>(
      workers_, main_, [number](Worker& worker) { return GatheredBy(worker, number); });
  News news;
  if (running_ == nullptr || running_->number != number) co_return news;
  for (Preview::Gathered& gathered : all) {
    running_->decisions += gathered.decisions;
    running_->skipped += gathered.skipped;
    running_->table.AddOverflow(gathered.table.overflow());
    totals_.decisions += gathered.decisions;
    totals_.skipped += gathered.skipped;
    totals_.changed += gathered.table.overflow();
    for (const auto& [change, count] : gathered.table.rows()) {
      totals_.changed += count.count;
      if (running_->table.Add(change, count)) news.rows[change].Add(count);
    }
  }
  news.decisions = running_->decisions;
  news.skipped = running_->skipped;
  news.overflow = running_->table.overflow();
  co_return news;
}

void Previews::End(uint32_t number) {
  if (running_ == nullptr || running_->number != number) return;
  tasks_.Start(TakeAway(number, std::move(running_->candidate)));
  running_.reset();
}

Task<void> Previews::Expire(uint32_t number, uint64_t in_ms) {
  co_await Sleep(in_ms);
  End(number);
}

// What may be large is freed aside, once no worker has it.
Task<void> Previews::TakeAway(uint32_t number, std::shared_ptr<const Policy> candidate) {
  co_await AskWorkers<bool>(workers_, main_, [number](Worker& worker) {
    const Preview* const preview = worker.preview();
    if (preview != nullptr && preview->number() == number) worker.SetPreview(nullptr);
    return true;
  });
  aside_.Do([last = std::make_shared<std::shared_ptr<const Policy>>(std::move(candidate))] { last->reset(); });
}

void Previews::Stop() {
  tasks_.Clear();
  aside_.Stop();
}

}  // namespace egret
