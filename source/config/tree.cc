#include "source/config/tree.h"

#include <unordered_map>

#include "source/base/strings.h"

namespace egret {
namespace {

// A key as it is compared: protobuf JSON allows maxAge for max_age.
std::string Folded(std::string_view key) {
  std::string out;
  for (const char c : key)
    if (c != '_') out += AsciiLower(c);
  return out;
}

const Node* ChildOf(const Node& map, std::string_view key) {
  for (const Node& child : map.children)
    if (child.key == key) return &child;
  const std::string folded = Folded(key);
  for (const Node& child : map.children)
    if (Folded(child.key) == folded) return &child;
  return nullptr;
}

// Takes the next step off a path: a name, or the inside of brackets.
std::string_view NextStep(std::string_view& path) {
  if (path.starts_with('.')) path.remove_prefix(1);
  size_t end = path.starts_with('[') ? path.find(']') : path.find_first_of(".[");
  if (path.starts_with("[\"")) end = path.find("\"]") == path.npos ? path.npos : path.find("\"]") + 1;
  if (end != path.npos && path[end] == ']') ++end;
  const std::string_view step = path.substr(0, end);
  path = end == path.npos ? std::string_view() : path.substr(end);
  return step;
}

const Node* Follow(const Node& from, std::string_view step) {
  if (!step.starts_with('[')) return from.map() ? ChildOf(from, step) : nullptr;
  step = step.substr(1, step.size() - 2);
  if (step.starts_with('"')) return from.map() ? ChildOf(from, step.substr(1, step.size() - 2)) : nullptr;
  const auto index = ParseDecimal<size_t>(step);
  return from.list() && index && *index < from.children.size() ? &from.children[*index] : nullptr;
}

}  // namespace

Position Locations::Find(std::string_view field_path) const {
  const Node* at = &root_;
  while (!field_path.empty()) {
    const Node* next = Follow(*at, NextStep(field_path));
    if (next == nullptr) break;
    at = next;
  }
  // What is below a key begins on the next line, or the one after; people look for the key.
  const bool has_place_of_its_own = at->scalar() || at->key_at.line == 0;
  return has_place_of_its_own ? at->at : at->key_at;
}

void CheckKeys(const Node& map, std::string_view file, std::vector<ConfigError>& errors) {
  std::unordered_map<std::string_view, Position> seen;
  for (const Node& child : map.children) {
    const auto [first, fresh] = seen.emplace(child.key, child.key_at);
    if (fresh) continue;
    errors.push_back({.file = std::string(file),
                      .line = child.key_at.line,
                      .col = child.key_at.col,
                      .field = ShownValue(child.key),
                      .why = Cat("the key is there twice, first on line ", first->second.line),
                      .remedy = "remove one of them"});
  }
}

}  // namespace egret
