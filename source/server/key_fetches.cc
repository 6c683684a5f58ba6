#include "source/server/key_fetches.h"

#include <time.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <utility>

#include "source/base/log.h"
#include "source/base/strings.h"
#include "source/event/combine.h"

namespace egret {
namespace {

std::shared_ptr<const KeySet> NoKeys() { return std::make_shared<const KeySet>(); }

struct Asker {
  std::shared_ptr<Mailbox> loop;
  std::shared_ptr<Pending<KeyFeed::Looked>::State> state;

  void Tell() const { Pending<KeyFeed::Looked>::FulfilFrom(loop, state, {}); }
};

}  // namespace

// One URL. The first three are for any thread, the rest is the main thread's.
struct KeyFetches::Line {
  explicit Line(KeyAddress where) : address(std::move(where)) {}

  const KeyAddress address;
  const std::shared_ptr<Current<KeySet>> keys = std::make_shared<Current<KeySet>>(NoKeys());
  std::atomic<uint64_t> quiet_until_ms = 0;  // who asks before is told at once

  KeyFetchStatus status{.url = address.url};
  std::string json;         // of the keys in force
  uint64_t fetched_ms = 0;  // when they came
  std::string trouble;      // why the last fetch failed; empty: it did not
  std::vector<Asker> askers;
  bool begun = false, closed = false, fetching = false;
  Gate stirred{false};
};

class KeyFetches::Feed final : public KeyFeed {
 public:
  Feed(KeyFetches& owner, std::shared_ptr<Line> line)
      : owner_(owner), main_(owner.main_.mailbox()), line_(std::move(line)) {}
  ~Feed() override {
    main_->Post([line = line_] {
      line->closed = true;
      line->stirred.Open();
    });
  }

  std::shared_ptr<const Current<KeySet>> keys() const override { return line_->keys; }

  void Begin() override { owner_.Start(line_); }

  void Look(const Pending<Looked>& answer) const override {
    Loop& loop = *Loop::current();
    const Asker asker{loop.mailbox(), answer.state()};
    const bool quiet = loop.now_ms() < line_->quiet_until_ms.load(std::memory_order_relaxed);
    if (quiet || !main_->Post([line = line_, asker] { Join(*line, asker); }))
      Pending<Looked>::Fulfil(*answer.state(), {});
  }

 private:
  static void Join(Line& line, const Asker& asker) {
    const bool quiet = Loop::current()->now_ms() < line.quiet_until_ms.load(std::memory_order_relaxed);
    if (quiet || line.askers.size() >= kMostAskers) return asker.Tell();
    line.askers.push_back(asker);
    if (!line.fetching) line.stirred.Open();
  }

  KeyFetches& owner_;
  const std::shared_ptr<Mailbox> main_;
  const std::shared_ptr<Line> line_;
};

KeyFetches::KeyFetches(Loop& main, KeySource& source, std::function<void()> on_renewed)
    : main_(main), source_(source), on_renewed_(std::move(on_renewed)) {}

KeyFetches::~KeyFetches() = default;

std::shared_ptr<KeyFeed> KeyFetches::Open(KeyAddress address) {
  return std::make_shared<Feed>(*this, std::make_shared<Line>(std::move(address)));
}

void KeyFetches::Start(const std::shared_ptr<Line>& line) {
  if (std::exchange(line->begun, true)) return;
  std::erase_if(lines_, [](const auto& one) { return one.expired(); });
  lines_.push_back(line);
  main_.mailbox()->Post([this, line] { tasks_.Start(Run(line)); });
}

Task<void> KeyFetches::Run(std::shared_ptr<Line> line) {
  while (!line->closed) {
    line->fetching = true;
    std::optional<Result<PublishedKeys, Problem>> got = co_await WithDeadline(source_.Get(line->address), kFetchMs);
    const uint64_t wait_ms = Take(*line, got ? std::move(*got) : Problem{"no answer in time"});
    line->fetching = false;
    if (!line->askers.empty()) line->quiet_until_ms.store(main_.now_ms() + kAgainMs, std::memory_order_relaxed);
    TellAll(*line);
    if (!line->closed) line->stirred.Close();
    co_await GateWithin(line->stirred, wait_ms);
  }
  TellAll(*line);
}

void KeyFetches::TellAll(Line& line) {
  for (const Asker& asker : std::exchange(line.askers, {})) asker.Tell();
}

uint64_t KeyFetches::Take(Line& line, Result<PublishedKeys, Problem> got) {
  if (!got) return TakeFailure(line, got.error());
  const std::shared_ptr<const KeySet> before = line.keys->Get();
  if (got->json != line.json) {
    Result<std::shared_ptr<const KeySet>, Problem> next = KeySet::Parse(got->json, before.get());
    if (!next) return TakeFailure(line, next.error());
    Replace(line, *next, std::move(got->json));
  }
  ++line.status.fetched;
  line.status.fetched_unix = time(nullptr);
  line.fetched_ms = main_.now_ms();
  line.trouble.clear();
  return got->max_age_s ? std::clamp(*got->max_age_s * 1000, kLeastMs, kMostMs) : kUnsaidMs;
}

uint64_t KeyFetches::TakeFailure(Line& line, const Problem& problem) {
  ++line.status.failed;
  if (line.trouble != problem.text)
    Log(LogComponent::kServer, LogLevel::kWarning, "keys of ", line.address.url, ": ", problem.text);
  line.trouble = problem.text;
  if (!line.json.empty() && main_.now_ms() - line.fetched_ms > kHoldMs) Replace(line, NoKeys(), "");
  return kAgainMs;
}

// Who is known by a key that is gone is known no longer.
void KeyFetches::Replace(Line& line, const std::shared_ptr<const KeySet>& next, std::string json) {
  const std::shared_ptr<const KeySet> before = line.keys->Get();
  line.keys->Set(next);
  line.json = std::move(json);
  before->WithdrawAllBut(*next);
  on_renewed_();
  Log(LogComponent::kServer, LogLevel::kInfo, "keys of ", line.address.url,
      line.json.empty() ? ": too old to be believed" : ": others are in force");
}

std::vector<KeyFetchStatus> KeyFetches::Status() const {
  std::vector<KeyFetchStatus> all;
  for (const auto& one : lines_)
    if (const std::shared_ptr<const Line> line = one.lock(); line != nullptr && !line->closed)
      all.push_back(line->status);
  return all;
}

}  // namespace egret
