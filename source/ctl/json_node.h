// Reading JSON that a proxy told: members by name, and what is not there is empty.
#pragma once

#include <string>
#include <string_view>

#include "source/config/tree.h"

namespace egret {

inline const Node& MemberOf(const Node& object, std::string_view key) {
  static const Node none;
  for (const Node& member : object.children)
    if (member.key == key) return member;
  return none;
}

inline std::string TextOf(const Node& object, std::string_view key) {
  const Node& member = MemberOf(object, key);
  return member.scalar() ? member.text : std::string();
}

}  // namespace egret
