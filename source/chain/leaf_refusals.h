// Clients that would not believe a minted leaf, by the name they wanted: evidence for an operator that a program there
// brings its own roots or pins a certificate, and may have to be relayed (`inspection: NEVER`). Never acted on. Belongs
// to a worker; single-threaded.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace egret {

enum class LeafRefusal : uint8_t {
  kUnknownCa,
  kBadCertificate,
  kUnsupportedCertificate,
  kCertificateRevoked,
  kCertificateExpired,
  kCertificateUnknown,
  kAccessDenied,
  kSilent,  // went away after the handshake without a word: it may also never have wanted anything
  kCount,
};
std::string_view NameOf(LeafRefusal how);  // "unknown_ca"

// Of an alert that was received (RFC 8446 6.2); kCount: it says nothing of certificates.
LeafRefusal LeafRefusalOf(int alert);

class LeafRefusals {
 public:
  static constexpr size_t kMost = 1000;  // names; beyond it whoever was seen longest ago is forgotten

  struct Seen {
    std::array<uint64_t, static_cast<size_t>(LeafRefusal::kCount)> how{};
    int64_t first = 0, last = 0;  // seconds since 1970
  };

  void Add(std::string_view name, LeafRefusal how, int64_t now);
  const std::map<std::string, Seen, std::less<>>& names() const { return names_; }

 private:
  void ForgetOne();

  std::map<std::string, Seen, std::less<>> names_;
};

}  // namespace egret
