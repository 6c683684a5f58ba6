// Any changes to any content, cut in pieces as the bytes say: the same comes out as of the whole, and never more than
// the bound.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "source/base/check.h"
#include "source/event/loop.h"
#include "source/filters/content_changes.h"
#include "test/support/pieces_body.h"
#include "test/support/run_task.h"

namespace egret {
namespace {

constexpr size_t kMost = 4096;

// Up to four changes: a byte of kind, then for a replacement two short texts.
std::vector<ContentChange> TakeChanges(std::string_view& bytes) {
  const auto text = [&bytes](size_t least) {
    const size_t size = bytes.empty() ? 0 : static_cast<uint8_t>(bytes.front()) % 12;
    if (!bytes.empty()) bytes.remove_prefix(1);
    std::string some(bytes.substr(0, size));
    bytes.remove_prefix(some.size());
    if (some.size() < least) some = "a";
    return some;
  };
  std::vector<ContentChange> changes;
  while (!bytes.empty() && changes.size() < 4) {
    const auto kind = static_cast<uint8_t>(bytes.front()) % 8;
    bytes.remove_prefix(1);
    if (kind == 7) break;
    if (kind < 4) {
      changes.emplace_back(InsertText{static_cast<Place>(kind), text(1)});
    } else {
      std::string sought = text(1);
      changes.emplace_back(ReplaceText{SoughtText(std::move(sought)), text(0)});
    }
  }
  return changes;
}

void Check(Loop& loop, std::string_view bytes) {
  const size_t piece = 1 + static_cast<uint8_t>(bytes.front()) % 16;
  bytes.remove_prefix(1);
  const ContentChanges changes(TakeChanges(bytes), kMost);
  const std::string content(bytes.substr(0, kMost));
  const std::optional<std::string> whole = changes.Apply(content);
  CHECK(!whole || whole->size() <= kMost);
  const auto body = changes.Around(std::make_unique<PiecesBody>(Cut(content, piece)), {});
  const std::string streamed = RunTask(loop, ReadAll(*body));
  CHECK(whole ? streamed == *whole : true);
}

}  // namespace
}  // namespace egret

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static egret::Loop loop;
  if (size > 0) egret::Check(loop, {reinterpret_cast<const char*>(data), size});
  return 0;
}
