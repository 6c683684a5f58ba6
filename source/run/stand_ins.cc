#include "source/run/stand_ins.h"

#include <algorithm>
#include <array>
#include <mutex>

namespace egret {
namespace {

constexpr uint32_t kFirstV4 = 0xc6120001;                                     // 198.18.0.1
constexpr std::array<uint8_t, 12> kPrefix = {0xfd, 'e', 'g', 'r', 'e', 't'};  // then the place and one, in 4 bytes

StandIns::Pair PairOf(uint32_t place) {
  std::array<uint8_t, 16> bytes{};
  std::copy(kPrefix.begin(), kPrefix.end(), bytes.begin());
  for (size_t i = 0; i < 4; ++i) bytes[15 - i] = static_cast<uint8_t>((place + 1) >> (8 * i));
  return {.v4 = IpAddress::V4(kFirstV4 + place), .v6 = IpAddress::V6(bytes)};
}

// Whatever address it is: a place that no name has is one that it does not stand for.
uint32_t PlaceOf(const IpAddress& address) {
  if (address.v4()) return address.v4_bits() - kFirstV4;
  const std::array<uint8_t, 16>& bytes = address.bytes();
  if (!std::equal(kPrefix.begin(), kPrefix.end(), bytes.begin())) return StandIns::kMost;
  uint32_t place = 0;
  for (size_t i = 12; i < 16; ++i) place = place << 8 | bytes[i];
  return place - 1;
}

}  // namespace

std::optional<StandIns::Pair> StandIns::Of(std::string_view name) {
  const std::unique_lock lock(mutex_);
  if (const auto known = places_.find(name); known != places_.end()) return PairOf(known->second);
  if (names_.size() >= kMost) return std::nullopt;
  const auto place = static_cast<uint32_t>(names_.size());
  names_.emplace_back(name);
  places_.emplace(name, place);
  return PairOf(place);
}

std::string StandIns::NameOf(const IpAddress& address) const {
  const uint32_t place = PlaceOf(address);
  const std::shared_lock lock(mutex_);
  return place < names_.size() ? names_[place] : "";
}

}  // namespace egret
