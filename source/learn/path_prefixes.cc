#include "source/learn/path_prefixes.h"

#include <algorithm>
#include <map>
#include <memory>
#include <string_view>

#include "source/base/strings.h"
#include "source/policy/path.h"

namespace egret {
namespace {

// 17, 2.31.0, 3f2b9c01d4e7, 5b7c…-…-…: one of many.
bool IsOneOfMany(std::string_view segment) {
  constexpr size_t kHash = 12;
  const auto digits = std::count_if(segment.begin(), segment.end(), IsAsciiDigit);
  const bool numbers =
      std::all_of(segment.begin(), segment.end(), [](char c) { return IsAsciiDigit(c) || c == '.' || c == '-'; });
  return digits > 0 && (numbers || (segment.size() >= kHash && digits >= 3));
}

struct Segments {
  std::map<std::string, std::unique_ptr<Segments>, std::less<>> below;
  bool ends = false;  // some path does here

  void Add(std::string_view path) {
    Segments* at = this;
    while (!path.empty()) {
      const std::string_view segment = SplitFirst(path, '/');
      if (segment.empty()) break;  // a slash at the end
      if (IsOneOfMany(segment)) break;
      auto& next = at->below[std::string(segment)];
      if (!next) next = std::make_unique<Segments>();
      at = next.get();
    }
    at->ends = true;
  }
  // Everything that is below it is covered by itself.
  void Close() {
    below.clear();
    ends = true;
  }
  void CloseCrowded() {
    if (below.size() > kMostPrefixes) return Close();
    for (auto& [segment, next] : below) next->CloseCrowded();
  }
  void Collect(const std::string& path, std::vector<std::string>& out) const {
    if (ends) {
      out.push_back(path.empty() ? "/" : path);
      return;
    }
    for (const auto& [segment, next] : below) next->Collect(Cat(path, '/', segment), out);
  }
  void CloseBelow(size_t depth) {
    if (depth == 0 && !below.empty()) return Close();
    for (auto& [segment, next] : below) next->CloseBelow(depth - 1);
  }
  size_t Depth() const {
    size_t depth = 0;
    for (const auto& [segment, next] : below) depth = std::max(depth, next->Depth() + 1);
    return depth;
  }
};

}  // namespace

std::vector<std::string> PrefixesOf(const std::set<std::string>& paths) {
  Segments root;
  for (const std::string& path : paths)
    if (!IsAmbiguous(path) && path.starts_with('/')) root.Add(std::string_view(path).substr(1));
  root.CloseCrowded();
  std::vector<std::string> prefixes;
  root.Collect("", prefixes);
  for (size_t depth = root.Depth(); prefixes.size() > kMostPrefixes && depth-- > 0;) {
    root.CloseBelow(depth);
    prefixes.clear();
    root.Collect("", prefixes);
  }
  if (std::find(prefixes.begin(), prefixes.end(), "/") != prefixes.end()) prefixes.clear();
  return prefixes;
}

std::string PathTemplateOf(std::string_view path) {
  std::string out;
  for (bool first = true; !path.empty(); first = false) {
    const bool last = path.find('/') == std::string_view::npos;
    const std::string_view segment = SplitFirst(path, '/');
    Append(out, first ? "" : "/", IsOneOfMany(segment) ? "{}" : segment);
    if (!last && path.empty()) out += '/';
  }
  return out;
}

}  // namespace egret
