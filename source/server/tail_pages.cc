#include "source/server/tail_pages.h"

#include <memory>
#include <string>
#include <utility>

#include "source/base/result.h"
#include "source/base/strings.h"
#include "source/chain/log_tail.h"
#include "source/event/wait.h"
#include "source/server/followed_log.h"
#include "source/server/page_query.h"

namespace egret {
namespace {

constexpr uint64_t kLookEveryMs = 100;

class TailBody final : public Body {
 public:
  explicit TailBody(const ServerView& server) : log_(server.workers, server.loop) {}

  [[clang::coro_wrapper]] Task<bool> Begin(LogFilter filter) { return log_.Begin(std::move(filter)); }

  Task<Chunk> Read() override {
    text_.clear();
    while (text_.empty()) {
      co_await Sleep(kLookEveryMs);
      LogTail::Lines lines = co_await log_.Take();
      text_ = std::move(lines.text);
      if (lines.dropped > 0) Append(text_, "{\"event\":\"dropped\",\"count\":", lines.dropped, "}\n");
    }
    co_return Chunk{Chunk::kBytes, text_, {}};
  }

 private:
  FollowedLog log_;
  std::string text_;
};

Result<LogFilter, Problem> FilterOf(const AdminRequest& request, bool decisions) {
  LogFilter filter{.decisions = decisions};
  for (auto& [name, value] : ParseQuery(request.query))
    if (auto problem = Narrow(filter, name, std::move(value))) return std::move(*problem);
  return filter;
}

Task<AdminReply> Follow(const ServerView& server, Result<LogFilter, Problem> filter) {
  if (!filter) co_return AdminReply{400, "text/plain; charset=utf-8", filter.error().text + '\n'};
  auto body = std::make_unique<TailBody>(server);
  if (!co_await body->Begin(std::move(*filter)))
    co_return AdminReply{503, "text/plain; charset=utf-8", Cat(Worker::kMostTails, " follow already.\n")};
  AdminReply reply{200, "application/x-ndjson", {}};
  reply.stream = std::move(body);
  co_return reply;
}

}  // namespace

[[clang::coro_wrapper]] Task<AdminReply> Decisions(const ServerView& server, const AdminRequest& request) {
  return Follow(server, FilterOf(request, true));
}

[[clang::coro_wrapper]] Task<AdminReply> Tail(const ServerView& server, const AdminRequest& request) {
  return Follow(server, FilterOf(request, false));
}

}  // namespace egret
