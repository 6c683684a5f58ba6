#include "source/server/preview_pages.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "source/base/json.h"
#include "source/base/strings.h"
#include "source/config/load.h"
#include "source/config/scalar.h"
#include "source/event/wait.h"
#include "source/server/page_query.h"
#include "source/server/previews.h"

namespace egret {
namespace {

constexpr uint64_t kLookEveryMs = 500;
constexpr uint64_t kDefaultMs = 600'000, kMostMs = 24 * 3'600'000;

void AppendChange(const PolicyChange& change, const ChangeCount& count, std::string& to) {
  JsonWriter out(to);
  out.BeginObject();
  out.Member("event", "change");
  WriteChange(change, count, out);
  out.EndObject();
  to += '\n';
}

void AppendTotals(std::string_view event, const Previews::News& news, std::string& to) {
  Append(to, "{\"event\":\"", event, "\",\"decisions\":", news.decisions, ",\"skipped\":", news.skipped,
         ",\"overflow\":", news.overflow, "}\n");
}

class PreviewBody final : public Body {
 public:
  PreviewBody(Previews& previews, std::unique_ptr<Previews::Hold> hold, uint64_t for_ms)
      : previews_(previews), hold_(std::move(hold)), text_(Cat("{\"event\":\"begin\",\"for_ms\":", for_ms, "}\n")) {}

  Task<Chunk> Read() override {
    if (std::exchange(first_, false)) co_return Chunk{Chunk::kBytes, text_, {}};
    if (hold_ == nullptr) co_return Chunk{Chunk::kEnd, {}, {}};
    text_.clear();
    const uint64_t left_ms = previews_.Left(hold_->number());
    if (left_ms > 0) co_await Sleep(std::min(left_ms, kLookEveryMs));
    const bool over = previews_.Left(hold_->number()) == 0;
    const Previews::News news = co_await previews_.Take(hold_->number());
    for (const auto& [change, count] : news.rows) AppendChange(change, count, text_);
    AppendTotals(over ? "end" : "so_far", news, text_);
    if (over) hold_.reset();
    co_return Chunk{Chunk::kBytes, text_, {}};
  }

 private:
  Previews& previews_;
  std::unique_ptr<Previews::Hold> hold_;  // null: it is over
  std::string text_;
  bool first_ = true;
};

std::string ErrorsJson(const Previews::Errors& errors) {
  std::string json;
  JsonWriter out(json);
  out.BeginObject();
  out.Key("errors");
  out.BeginArray();
  for (const ConfigError& error : errors) {
    out.BeginObject();
    out.MemberIf("field", error.field);
    out.MemberIf("value", error.value);
    out.Member("why", error.why);
    out.MemberIf("remedy", error.remedy);
    out.Member("text", error.ToString());
    out.EndObject();
  }
  out.EndArray();
  out.EndObject();
  return json + '\n';
}

// Nothing: no time from 1 s to 24 h.
std::optional<uint64_t> TimeOf(const AdminRequest& request) {
  const std::optional<std::string> text = QueryValue(request.query, "for");
  if (!text) return kDefaultMs;
  const Result<DurationParts, Unfit> time = ParseDuration(*text);
  if (!time || time->seconds < 1 || static_cast<uint64_t>(time->seconds) > kMostMs / 1000) return std::nullopt;
  return static_cast<uint64_t>(time->seconds) * 1000;
}

Result<config::v1::Resources, Previews::Errors> ReadCandidate(const std::string& text) {
  config::v1::Resources resources;
  const Format format = text.starts_with('{') ? Format::kJson : Format::kYaml;
  LoadResult loaded = Load(text, "candidate", format, resources);
  if (!loaded.ok()) return std::move(loaded.errors);
  return resources;
}

}  // namespace

Task<AdminReply> PreviewCandidate(const ServerView& server, const AdminRequest& request) {
  const std::optional<uint64_t> for_ms = TimeOf(request);
  if (!for_ms) co_return AdminReply{400, "text/plain; charset=utf-8", "?for=10m: 1s to 24h.\n"};
  if (server.previews.running())
    co_return AdminReply{409, "text/plain; charset=utf-8", "Another preview runs here; it ends by itself.\n"};
  const auto text = std::make_shared<const std::string>(request.content);
  auto begun = co_await server.previews.Begin([text] { return ReadCandidate(*text); }, *for_ms);
  if (!begun) co_return AdminReply{422, "application/json", ErrorsJson(begun.error())};
  AdminReply reply{200, "application/x-ndjson", {}};
  reply.stream = std::make_unique<PreviewBody>(server.previews, std::move(*begun), *for_ms);
  co_return reply;
}

}  // namespace egret
