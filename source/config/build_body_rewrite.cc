#include "source/config/build_body_rewrite.h"

#include <string>
#include <utility>
#include <vector>

#include "source/base/strings.h"
#include "source/config/body_pattern.h"
#include "source/filters/body_rewrite.h"

namespace egret {
namespace {

using Config = filters::http::v1::BodyRewrite;

constexpr size_t kUsualBytes = size_t{1} << 20;

Place PlaceOf(Config::Insert::Place place) {
  switch (place) {
    case Config::Insert::BEGIN:
      return Place::kBegin;
    case Config::Insert::HEAD_END:
      return Place::kHeadEnd;
    case Config::Insert::BODY_END:
      return Place::kBodyEnd;
    default:
      return Place::kEnd;
  }
}

ContentChange ChangeOf(const Config::Operation& operation) {
  if (operation.has_insert()) return InsertText{PlaceOf(operation.insert().at()), operation.insert().text()};
  const Config::Replace& replace = operation.replace();
  if (replace.has_pattern()) return ReplaceMatches{CompileBodyPattern(replace.pattern()), replace.with()};
  return ReplaceText{SoughtText(replace.text()), replace.with()};
}

template <class Operations>
std::shared_ptr<const ContentChanges> ChangesOf(const Operations& operations, size_t most) {
  std::vector<ContentChange> changes;
  for (const Config::Operation& operation : operations) changes.push_back(ChangeOf(operation));
  return std::make_shared<const ContentChanges>(std::move(changes), most);
}

}  // namespace

std::unique_ptr<const HttpFilter> BuildBodyRewrite(const Config& message) {
  const size_t most = message.has_max_bytes() ? message.max_bytes() : kUsualBytes;
  BodyRewriteOptions options;
  options.request = ChangesOf(message.request(), most);
  options.response = ChangesOf(message.response(), most);
  for (const std::string& type : message.content_types()) options.types.push_back(ToLower(type));
  if (options.types.empty()) options.types = {"text/*", "application/json", "application/javascript"};
  options.refuse = message.unchangeable() == Config::REFUSE;
  return std::make_unique<BodyRewriteFilter>(std::move(options));
}

}  // namespace egret
