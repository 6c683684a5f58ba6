#include "source/server/tail_pages.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "source/base/ip.h"
#include "source/base/result.h"
#include "source/base/strings.h"
#include "source/chain/log_tail.h"
#include "source/event/wait.h"
#include "source/policy/pattern.h"
#include "source/server/page_query.h"

namespace egret {
namespace {

constexpr uint64_t kLookEveryMs = 100;

// What the workers keep for one who follows.
class TailBody final : public Body {
 public:
  TailBody(const ServerView& server, uint64_t number) : server_(server), number_(number) {}
  ~TailBody() override {
    for (const auto& worker : server_.workers) worker->Post([number = number_](Worker& on) { on.Unfollow(number); });
  }

  Task<bool> Begin(LogFilter filter) {
    const std::vector<bool> followed = co_await AskWorkers<bool>(
        server_, [this, filter](Worker& on) { return on.Follow(std::make_unique<LogTail>(number_, filter)); });
    co_return std::find(followed.begin(), followed.end(), false) == followed.end();
  }

  Task<Chunk> Read() override {
    text_.clear();
    while (text_.empty()) {
      co_await Sleep(kLookEveryMs);
      co_await Gather();
    }
    co_return Chunk{Chunk::kBytes, text_, {}};
  }

 private:
  Task<void> Gather() {
    const std::vector<LogTail::Lines> all =
        co_await AskWorkers<LogTail::Lines>(server_, [number = number_](Worker& on) {
          LogTail* const tail = on.FindTail(number);
          return tail != nullptr ? tail->Take() : LogTail::Lines();
        });
    uint64_t dropped = 0;
    for (const LogTail::Lines& lines : all) {
      text_ += lines.text;
      dropped += lines.dropped;
    }
    if (dropped > 0) Append(text_, "{\"event\":\"dropped\",\"count\":", dropped, "}\n");
  }

  const ServerView& server_;
  const uint64_t number_;
  std::string text_;
};

Result<LogFilter, Problem> FilterOf(const AdminRequest& request) {
  LogFilter filter;
  for (auto& [name, value] : ParseQuery(request.query)) {
    if (name == "decision") {
      if (value != "allow" && value != "deny" && value != "challenge")
        return Problem{"A decision is allow, deny or challenge.\n"};
      filter.decision = std::move(value);
    } else if (name == "policy") {
      filter.policy = std::move(value);
    } else if (name == "rule") {
      filter.rule = std::move(value);
    } else if (name == "host") {
      if (const auto address = IpAddress::Parse(value)) {
        filter.address = address->ToString();
        continue;
      }
      Result<DomainPattern, std::string> pattern = ParsePattern(value);
      if (!pattern) return Problem{Cat("host: ", pattern.error(), "\n")};
      filter.host = std::move(*pattern);
    } else {
      return Problem{"Ask by decision, host, policy or rule.\n"};
    }
  }
  return filter;
}

uint64_t NextNumber() {
  static uint64_t last = 0;  // the main thread's
  return ++last;
}

}  // namespace

Task<AdminReply> Tail(const ServerView& server, const AdminRequest& request) {
  Result<LogFilter, Problem> filter = FilterOf(request);
  if (!filter) co_return AdminReply{400, "text/plain; charset=utf-8", filter.error().text};
  auto body = std::make_unique<TailBody>(server, NextNumber());
  if (!co_await body->Begin(std::move(*filter)))
    co_return AdminReply{503, "text/plain; charset=utf-8", Cat(Worker::kMostTails, " follow already.\n")};
  AdminReply reply{200, "application/x-ndjson", {}};
  reply.stream = std::move(body);
  co_return reply;
}

}  // namespace egret
