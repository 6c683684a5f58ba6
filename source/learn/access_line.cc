#include "source/learn/access_line.h"

#include <utility>

namespace egret {

std::string_view NameOf(Outcome outcome) {
  switch (outcome) {
    case Outcome::kRefused:
      return "refused";
    case Outcome::kFailed:
      return "failed";
    case Outcome::kReached:
      break;
  }
  return "reached";
}

std::optional<AccessLine> AccessLine::Parse(std::string_view line) {
  std::optional<JsonValue> json = JsonValue::Parse(line);
  if (!json || json->TextOf("event") != "end" || json->TextOf("decision") == "challenge") return std::nullopt;
  return AccessLine(*std::move(json));
}

std::string AccessLine::Text(std::string_view member) const {
  return std::string(json_.TextOf(member).value_or(std::string_view()));
}

uint64_t AccessLine::Number(std::string_view member) const {
  const JsonValue* const number = json_.Find(member);
  return number == nullptr ? 0 : ParseDecimal<uint64_t>(number->text).value_or(0);
}

Outcome AccessLine::outcome() const {
  if (json_.TextOf("decision") == "deny") return Outcome::kRefused;
  return Has("upstream") || Has("inspected") ? Outcome::kReached : Outcome::kFailed;
}

}  // namespace egret
