// What a worker does where memory is scarce.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "source/base/counter.h"

namespace egret {

enum class Overload : uint8_t {
  kNone,
  kSoft,  // connections end with their response, idle links to origins are closed
  kHard,  // and new requests are refused, and what holds most is ended, one thing a tick
};

constexpr std::string_view NameOf(Overload level) {
  constexpr std::array<std::string_view, 3> kNames = {"plenty is left", "scarce (soft)", "very scarce (hard)"};
  return kNames[static_cast<size_t>(level)];
}

enum class OverloadAction : uint8_t { kCloseConnection, kDropIdleLinks, kRefuseRequest, kEndLargest, kCount };

constexpr std::string_view NameOf(OverloadAction action) {
  constexpr std::array<std::string_view, static_cast<size_t>(OverloadAction::kCount)> kNames = {
      "close_connection", "drop_idle_links", "refuse_request", "end_largest"};
  return kNames[static_cast<size_t>(action)];
}

class OverloadActions {
 public:
  void Add(OverloadAction action) { counts_[static_cast<size_t>(action)].Add(); }
  uint64_t Read(OverloadAction action) const { return counts_[static_cast<size_t>(action)].Read(); }

 private:
  std::array<Counter, static_cast<size_t>(OverloadAction::kCount)> counts_;
};

}  // namespace egret
