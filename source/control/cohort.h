// Which proxies a release is given to first. Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace egret {

// A number below 100, the same on every replica and at all times: the first 8 bytes of SHA-256 over release, a zero
// byte and node.id, as a big-endian number modulo 100.
uint32_t CohortOf(std::string_view release, std::string_view node_id);

// Whoever is in it at one percentage is at every higher one.
inline bool IsInCohort(std::string_view release, std::string_view node_id, uint32_t percent) {
  return CohortOf(release, node_id) < percent;
}

}  // namespace egret
