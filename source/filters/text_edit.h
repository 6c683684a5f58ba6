// What body_rewrite does to text: the edits, streaming where they can be. They work on bytes and know no charset.
#pragma once

#include <re2/re2.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "source/http/content_edit.h"

namespace egret {

// Text that is looked for in content that comes in pieces.
class SoughtText {
 public:
  explicit SoughtText(std::string text);  // not empty

  const std::string& text() const { return text_; }
  // How many bytes at the end of `content`, which does not hold the whole text there, may be its beginning.
  size_t BegunAtEndOf(std::string_view content) const;

 private:
  std::string text_;
  std::vector<size_t> fallback_;  // of Knuth, Morris and Pratt
};

// Every `sought` becomes `with`, from left to right. Both outlive the edit.
std::unique_ptr<ContentEdit> MakeReplace(const SoughtText& sought, const std::string& with);

enum class Place {
  kBegin,
  kEnd,
  kHeadEnd,  // before the first </head>; nowhere where there is none
  kBodyEnd,  // before the last </body>, likewise
};
// Puts `text` in, once. It outlives the edit. To know that a </body> is the last one, what follows it is held back, up
// to `most` bytes; where more follows it is taken for the last one.
std::unique_ptr<ContentEdit> MakeInsert(Place place, const std::string& text, size_t most);

// Every match becomes `with`, in which \1 to \9 are its groups and \0 is all of it. Nothing: that would be more than
// `most` bytes.
std::optional<std::string> ReplacePattern(const re2::RE2& pattern, const std::string& with, std::string_view content,
                                          size_t most);

}  // namespace egret
