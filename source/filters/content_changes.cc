#include "source/filters/content_changes.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace egret {
namespace {

std::unique_ptr<ContentEdit> MakeEdit(const ContentChange& change, size_t most) {
  if (const auto* replace = std::get_if<ReplaceText>(&change)) return MakeReplace(replace->text, replace->with);
  const auto& insert = std::get<InsertText>(change);
  return MakeInsert(insert.place, insert.text, most);
}

std::optional<std::string> Apply(const ContentChange& change, std::string_view content, size_t most) {
  if (const auto* matches = std::get_if<ReplaceMatches>(&change))
    return ReplacePattern(*matches->pattern, matches->with, content, most);
  const std::unique_ptr<ContentEdit> edit = MakeEdit(change, most);
  std::string out;
  std::string piece;
  do {
    piece.clear();
    edit->Take(content, piece);
    out.append(piece);
  } while (!piece.empty() && out.size() <= most);
  edit->End(out);
  if (out.size() > most) return std::nullopt;
  return out;
}

}  // namespace

ContentChanges::ContentChanges(std::vector<ContentChange> changes, size_t most)
    : changes_(std::move(changes)),
      most_(most),
      needs_whole_(std::any_of(changes_.begin(), changes_.end(), [](const ContentChange& change) {
        return std::holds_alternative<ReplaceMatches>(change);
      })) {}

std::unique_ptr<Body> ContentChanges::Around(std::unique_ptr<Body> body, Failure malformed) const {
  for (const ContentChange& change : changes_)
    body = MakeEditedBody(std::move(body), MakeEdit(change, most_), malformed);
  return body;
}

std::optional<std::string> ContentChanges::Apply(std::string content) const {
  for (const ContentChange& change : changes_) {
    std::optional<std::string> changed = egret::Apply(change, content, most_);
    if (!changed) return std::nullopt;
    content = std::move(*changed);
  }
  return content;
}

}  // namespace egret
