// What body_rewrite is configured to do to content, compiled: a list of operations that apply in order.
#pragma once

#include <re2/re2.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "source/base/failure.h"
#include "source/filters/text_edit.h"
#include "source/http/body.h"

namespace egret {

struct ReplaceText {
  SoughtText text;
  std::string with;
};
struct ReplaceMatches {
  std::shared_ptr<const re2::RE2> pattern;
  std::string with;
};
struct InsertText {
  Place place;
  std::string text;
};
using ContentChange = std::variant<ReplaceText, ReplaceMatches, InsertText>;

class ContentChanges {
 public:
  // `most`: how many bytes of one content may be held.
  ContentChanges(std::vector<ContentChange> changes, size_t most);

  bool empty() const { return changes_.empty(); }
  // A match of a pattern may be anywhere and of any length, so it is looked for in the whole content only.
  bool needs_whole() const { return needs_whole_; }
  size_t most() const { return most_; }

  // The body, changed while it is read; only where !needs_whole(). These must outlive it.
  std::unique_ptr<Body> Around(std::unique_ptr<Body> body, Failure malformed) const;
  // The content, changed. Nothing: at some point it was larger than `most`.
  std::optional<std::string> Apply(std::string content) const;

 private:
  std::vector<ContentChange> changes_;
  size_t most_;
  bool needs_whole_;
};

}  // namespace egret
