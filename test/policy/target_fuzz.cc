// Targets and patterns from arbitrary bytes: what is accepted has one spelling, which gives itself again, and is never
// a name that a resolver would take for an address.
#include <arpa/inet.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "source/base/check.h"
#include "source/policy/path.h"
#include "source/policy/pattern.h"
#include "source/policy/target.h"

using egret::IsAmbiguous;
using egret::OtherReadings;
using egret::ParseAuthority;
using egret::ParsePattern;

namespace {

void Targets(std::string_view text) {
  for (const auto default_port : {std::optional<uint16_t>(), std::optional<uint16_t>(443)}) {
    const auto target = ParseAuthority(text, default_port);
    if (!target) continue;
    const auto again = ParseAuthority(target->ToString(), std::nullopt);
    CHECK(again && *again == *target);
    CHECK(target->port != 0 && !target->host.empty() && target->host.size() <= 253);
    in_addr meant;
    CHECK(target->literal || inet_aton(target->host.c_str(), &meant) == 0);
    CHECK(target->literal || egret::CanonicalName(target->host) == target->host);
  }
}

void Patterns(std::string_view text) {
  const auto pattern = ParsePattern(text);
  if (!pattern) {
    CHECK(!pattern.error().empty());
    return;
  }
  const auto name = egret::CanonicalName(pattern->name);
  CHECK(name && *name == pattern->name);
  using Kind = egret::DomainPattern::Kind;
  CHECK(pattern->Matches(pattern->name) == (pattern->kind != Kind::kBelow));
  CHECK(pattern->Matches("x." + pattern->name) == (pattern->kind != Kind::kExact));
  CHECK(!pattern->Matches("x" + pattern->name));
}

void Paths(std::string_view text) {
  const auto readings = OtherReadings(text);
  CHECK(readings.size() <= 8);
  // What has one reading only may be allowed; else some escape, parameter or segment must have been seen.
  for (const auto& reading : readings) CHECK(reading.starts_with('/') && reading != text);
  if (!IsAmbiguous(text) && text != "*")
    for (const auto& reading : readings) CHECK(reading.find("/../") == std::string::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Targets(text);
  Patterns(text);
  Paths(text);
  return 0;
}
