#include "source/chain/leaf_refusals.h"

#include <algorithm>

namespace egret {

std::string_view NameOf(LeafRefusal how) {
  constexpr std::array<std::string_view, static_cast<size_t>(LeafRefusal::kCount)> kNames = {
      "unknown_ca",          "bad_certificate",     "unsupported_certificate", "certificate_revoked",
      "certificate_expired", "certificate_unknown", "access_denied",           "silent"};
  return kNames[static_cast<size_t>(how)];
}

LeafRefusal LeafRefusalOf(int alert) {
  switch (alert) {
    case 42:
      return LeafRefusal::kBadCertificate;
    case 43:
      return LeafRefusal::kUnsupportedCertificate;
    case 44:
      return LeafRefusal::kCertificateRevoked;
    case 45:
      return LeafRefusal::kCertificateExpired;
    case 46:
      return LeafRefusal::kCertificateUnknown;
    case 48:
      return LeafRefusal::kUnknownCa;
    case 49:
      return LeafRefusal::kAccessDenied;
    default:
      return LeafRefusal::kCount;
  }
}

void LeafRefusals::Add(std::string_view name, LeafRefusal how, int64_t now) {
  const auto index = static_cast<size_t>(how);
  auto at = names_.find(name);
  if (at == names_.end()) {
    if (names_.size() >= kMost) ForgetOne();
    at = names_.emplace(name, Seen{.first = now}).first;
  }
  ++at->second.how[index];
  at->second.last = now;
}

void LeafRefusals::ForgetOne() {
  names_.erase(std::min_element(names_.begin(), names_.end(),
                                [](const auto& a, const auto& b) { return a.second.last < b.second.last; }));
}

}  // namespace egret
