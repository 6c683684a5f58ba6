// A line of an access log, read for what it tells of a request or a tunnel that has ended.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "source/base/json_value.h"
#include "source/base/strings.h"

namespace egret {

// How it went with what was asked for.
enum class Outcome : uint8_t { kRefused, kFailed, kReached };

std::string_view NameOf(Outcome outcome);  // "reached"

class AccessLine {
 public:
  // Nothing: it is no JSON object, tells of no end, or of somebody who was only asked who it is, and comes again.
  static std::optional<AccessLine> Parse(std::string_view line);

  bool Has(std::string_view member) const { return json_.Find(member) != nullptr; }
  std::string Text(std::string_view member) const;  // empty: none
  uint64_t Number(std::string_view member) const;   // 0: none
  bool request() const { return Text("kind") == "request"; }
  bool inside() const { return Has("parent_id"); }  // of a request: it came through a tunnel that has a line of its own
  // A tunnel that was decrypted need not have had a connection of its own to have reached somebody.
  Outcome outcome() const;

 private:
  explicit AccessLine(JsonValue json) : json_(std::move(json)) {}
  JsonValue json_;
};

// Calls take(AccessLine) for each line of a text that is one.
template <class Take>
void ForEachAccessLine(std::string_view lines, const Take& take) {
  while (!lines.empty())
    if (const std::optional<AccessLine> line = AccessLine::Parse(SplitFirst(lines, '\n'))) take(*line);
}

}  // namespace egret
