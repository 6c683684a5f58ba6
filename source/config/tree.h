// What YAML and JSON have in common: a tree of maps, lists and scalars in which every value knows its place in the
// file. Keys of a map are unique; the depth is at most kMostDepth, the number of nodes at most kMostNodes.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "source/config/error.h"

namespace egret {

inline constexpr size_t kMostNodes = 1'200'000;  // a set of a million names, and what stands beside it
inline constexpr int kMostDepth = 100;
inline constexpr size_t kMostBytes = size_t{64} << 20;

struct Position {
  int line = 0;  // from 1; 0: not known
  int col = 0;
};

struct Node {
  enum class Kind : unsigned char { kNull, kScalar, kMap, kList };

  Kind kind = Kind::kNull;
  bool quoted = false;  // a scalar written in quotes: text, whatever it looks like
  Position at;
  std::string key;  // in a map: its name
  Position key_at;
  std::string text;            // of a scalar
  std::vector<Node> children;  // of a map or list

  bool null() const { return kind == Kind::kNull; }
  bool scalar() const { return kind == Kind::kScalar; }
  bool map() const { return kind == Kind::kMap; }
  bool list() const { return kind == Kind::kList; }
  bool plain() const { return scalar() && !quoted; }
};

struct Tree {
  std::optional<Node> root;  // none where it cannot be read to its end
  std::vector<ConfigError> errors;
};

// Finds places again by field path, for errors that are found after loading.
class Locations {
 public:
  Locations() = default;
  Locations(std::string file, Node root) : file_(std::move(file)), root_(std::move(root)) {}

  // Of the field, or of what lies nearest above it in the file; {0, 0} without a file.
  Position Find(std::string_view field_path) const;
  const std::string& file() const { return file_; }

 private:
  std::string file_;
  Node root_;
};

// Reports keys that a map holds twice. Compares text, so that "a" and a are one key.
void CheckKeys(const Node& map, std::string_view file, std::vector<ConfigError>& errors);

}  // namespace egret
