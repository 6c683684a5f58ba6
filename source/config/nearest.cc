#include "source/config/nearest.h"

#include <algorithm>

#include "source/base/strings.h"

namespace egret {
namespace {

constexpr size_t kLongestCompared = 64;

std::string Folded(std::string_view word) {
  std::string out;
  for (const char c : word.substr(0, kLongestCompared))
    if (c != '_' && c != '-') out += AsciiLower(c);
  return out;
}

// Edits between two words where a swap of neighbours is one (optimal string alignment).
size_t Distance(const std::string& a, const std::string& b) {
  std::vector<size_t> before, last(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0u : 1u)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before = last;
    last = row;
  }
  return last[b.size()];
}

}  // namespace

std::string NearestWord(std::string_view word, const std::vector<std::string>& candidates) {
  const std::string folded = Folded(word);
  std::string nearest;
  size_t fewest = std::max<size_t>(1, folded.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    const size_t edits = Distance(folded, Folded(candidate));
    if (edits >= fewest) continue;
    fewest = edits;
    nearest = candidate;
  }
  return nearest;
}

std::string Suggest(std::string_view word, const std::vector<std::string>& candidates, size_t most) {
  const std::string nearest = NearestWord(word, candidates);
  if (!nearest.empty()) return Cat("did you mean ", nearest, "?");
  if (candidates.empty()) return "";
  std::string out = "there are ";
  for (size_t i = 0; i < std::min(most, candidates.size()); ++i) Append(out, i > 0 ? ", " : "", candidates[i]);
  if (candidates.size() > most) out += ", ...";
  return out;
}

}  // namespace egret
