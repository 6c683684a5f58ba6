#include "source/policy/guard.h"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <utility>

#include "source/base/check.h"
#include "source/base/strings.h"

namespace egret {
namespace {

struct Special {
  Cidr range;
  std::string_view reason;  // empty: not refused for itself (and nothing wider is asked)
  bool final = false;
};

struct SpecialText {
  const char* range;
  std::string_view reason;
  bool final = false;
};

// The first that contains an address speaks. RFC numbers as in the IANA special-purpose registries.
constexpr SpecialText kSpecial[] = {
    // Metadata services of clouds, inside and outside of special ranges.
    {"169.254.169.254", "metadata", true},  // EC2, GCE, Azure, OpenStack
    {"169.254.170.2", "metadata", true},    // ECS task roles
    {"169.254.170.23", "metadata", true},   // EKS pod identity
    {"100.100.100.200", "metadata", true},  // Alibaba
    {"168.63.129.16", "metadata", true},    // Azure WireServer, a public address
    {"192.0.0.192", "metadata", true},      // Oracle
    {"fd00:ec2::254", "metadata", true},
    {"fd00:ec2::23", "metadata", true},
    {"fd20:ce::254", "metadata", true},  // GCE
    {"fd00:42::42", "metadata", true},   // Scaleway
    // IPv4.
    {"0.0.0.0/8", "this_network"},  // RFC 791; 0.0.0.0 reaches the host itself
    {"10.0.0.0/8", "private"},      // RFC 1918
    {"172.16.0.0/12", "private"},
    {"192.168.0.0/16", "private"},
    {"100.64.0.0/10", "shared"},             // RFC 6598
    {"127.0.0.0/8", "loopback"},             // RFC 1122
    {"169.254.0.0/16", "link_local", true},  // RFC 3927
    {"192.0.0.0/24", "protocol_assignments"},
    {"192.0.2.0/24", "documentation"},  // RFC 5737
    {"198.51.100.0/24", "documentation"},
    {"203.0.113.0/24", "documentation"},
    {"192.88.99.0/24", "6to4_relay"},   // RFC 7526
    {"198.18.0.0/15", "benchmarking"},  // RFC 2544
    {"224.0.0.0/4", "multicast"},
    {"255.255.255.255", "broadcast"},
    {"240.0.0.0/4", "reserved"},
    // IPv6.
    {"::", "unspecified"},
    {"::1", "loopback"},
    {"::/96", "v4_compatible"},         // RFC 4291 2.5.5.1, obsolete
    {"64:ff9b::/96", ""},               // NAT64 (RFC 6052): the embedded address speaks
    {"64:ff9b:1::/48", "nat64_local"},  // RFC 8215
    {"100::/64", "discard"},            // RFC 6666
    {"2001::/32", "teredo"},            // RFC 4380
    {"2001:db8::/32", "documentation"},
    {"2001::/23", "protocol_assignments"},
    {"2002::/16", "6to4"},           // RFC 3056
    {"3fff::/20", "documentation"},  // RFC 9637
    {"fc00::/7", "unique_local"},    // RFC 4193
    {"fe80::/10", "link_local", true},
    {"fec0::/10", "site_local"},  // RFC 3879
    {"ff00::/8", "multicast"},
    {"2000::/3", ""},      // global unicast
    {"::/0", "reserved"},  // nothing else is assigned
};

std::vector<Special> ParseTable() {
  std::vector<Special> out;
  for (const SpecialText& text : kSpecial) {
    const auto range = Cidr::Parse(text.range);
    CHECK(range);
    out.push_back({*range, text.reason, text.final});
  }
  return out;
}

const std::vector<Special>& Table() {
  static const std::vector<Special> table = ParseTable();
  return table;
}

uint32_t Word(const std::array<uint8_t, 16>& bytes, size_t at) {
  uint32_t out = 0;
  for (size_t i = at; i < at + 4; ++i) out = out << 8 | bytes[i];
  return out;
}

constexpr size_t kMaxEmbedded = 6;

// The IPv4 addresses that an IPv6 one may stand for.
size_t Embedded(const IpAddress& address, IpAddress (&out)[kMaxEmbedded]) {
  if (address.v4()) return 0;
  const auto& bytes = address.bytes();
  size_t count = 0;
  const auto add = [&](uint32_t bits) { out[count++] = IpAddress::V4(bits); };
  const uint32_t first = Word(bytes, 0);
  const uint32_t last = Word(bytes, 12);
  const bool zeros = first == 0 && Word(bytes, 4) == 0;
  if (first == 0x0064ff9b && Word(bytes, 4) == 0 && Word(bytes, 8) == 0) add(last);
  if (first == 0x0064ff9b && bytes[4] == 0 && bytes[5] == 1) {
    // RFC 6052 2.2: the prefix may have 48, 56, 64 or 96 bits; byte 8 is skipped.
    add(last);
    add(Word({bytes[6], bytes[7], bytes[9], bytes[10]}, 0));
    add(Word({bytes[7], bytes[9], bytes[10], bytes[11]}, 0));
    add(Word(bytes, 9));
  }
  if (first >> 16 == 0x2002) add(Word(bytes, 2));
  if (first == 0x20010000) {
    add(Word(bytes, 4));  // the Teredo server
    add(~last);           // the client, its bits inverted
  }
  if ((Word(bytes, 8) & 0xfdffffffu) == 0x00005efe) add(last);  // ISATAP, RFC 5214 6.1
  if (zeros && Word(bytes, 8) == 0 && last > 1) add(last);      // ::a.b.c.d
  if (zeros && Word(bytes, 8) == 0xffff0000u) add(last);        // ::ffff:0:a.b.c.d, RFC 2765
  return count;
}

bool IsExempt(const Finding& finding, const IpAddress& address, std::span<const CidrSet* const> opened) {
  if (!finding.exemptible || opened.empty()) return false;
  return std::all_of(opened.begin(), opened.end(), [&](const CidrSet* set) {
    return set->Contains(address) || (finding.embedded && set->Contains(*finding.embedded));
  });
}

bool IsLoopback(const IpAddress& address) {
  if (address.v4()) return address.v4_bits() >> 24 == 127;
  return address == *IpAddress::Parse("::1");
}

bool IsUnspecified(const IpAddress& address) { return address == IpAddress() || address == IpAddress::V6({}); }

}  // namespace

AddressGuard::AddressGuard(std::vector<Cidr> also_refuse, std::vector<Endpoint> own, std::vector<IpAddress> local,
                           MixedAnswers mixed_answers)
    : also_refuse_(std::move(also_refuse)),
      also_refuse_set_(also_refuse_),
      own_(std::move(own)),
      local_(std::move(local)),
      mixed_answers_(mixed_answers) {}

// Connecting to 0.0.0.0 or :: reaches the host itself.
bool AddressGuard::Own(const IpAddress& address, uint16_t port) const {
  return std::any_of(own_.begin(), own_.end(), [&](const Endpoint& own) {
    if (own.port != port) return false;
    if (own.address == address || IsUnspecified(address)) return true;
    if (!IsUnspecified(own.address)) return false;
    return IsLoopback(address) || std::find(local_.begin(), local_.end(), address) != local_.end();
  });
}

Finding AddressGuard::JudgeOne(const IpAddress& address, uint16_t port) const {
  const Cidr alone{address, static_cast<uint8_t>(address.v4() ? 32 : 128)};
  if (Own(address, port)) return {"own_listener", false, alone, std::nullopt};
  const auto& table = Table();
  const auto special =
      std::find_if(table.begin(), table.end(), [&](const Special& s) { return s.range.Contains(address); });
  if (special != table.end() && !special->reason.empty())
    return {special->reason, !special->final, special->range, std::nullopt};
  if (!also_refuse_set_.Contains(address)) return {};
  const auto range =
      std::find_if(also_refuse_.begin(), also_refuse_.end(), [&](const Cidr& c) { return c.Contains(address); });
  return {"also_refused", true, range == also_refuse_.end() ? alone : *range, std::nullopt};
}

Finding AddressGuard::Judge(const IpAddress& address, uint16_t port, std::span<const CidrSet* const> opened) const {
  const Finding outer = JudgeOne(address, port);
  Finding refused = outer && !IsExempt(outer, address, opened) ? outer : Finding{};
  if (refused && !refused.exemptible) return refused;
  IpAddress embedded[kMaxEmbedded];
  const size_t count = Embedded(address, embedded);
  for (size_t i = 0; i < count; ++i) {
    Finding inner = JudgeOne(embedded[i], port);
    if (!inner) continue;
    inner.embedded = embedded[i];
    if (IsExempt(inner, address, opened)) continue;
    if (!refused || !inner.exemptible) refused = inner;
    if (!inner.exemptible) break;
  }
  return refused;
}

std::string Remedy(const IpAddress& address, const Finding& finding, std::string_view rules) {
  std::string out = address.ToString();
  if (finding.embedded) Append(out, " (", finding.embedded->ToString(), " inside)");
  Append(out, " is refused: ", finding.reason, '.');
  if (!finding.exemptible) {
    Append(out, " No rule can open this.");
  } else if (!rules.empty()) {
    Append(out, " To open it, write reaches_private: [\"", finding.range.ToString(), "\"] in ", rules, '.');
  } else {
    Append(out, " To open it, allow it by a rule with names or cidrs and reaches_private: [\"",
           finding.range.ToString(), "\"].");
  }
  return out;
}

std::vector<IpAddress> LocalAddresses() {
  std::vector<IpAddress> out;
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return out;
  for (const ifaddrs* at = list; at != nullptr; at = at->ifa_next) {
    if (at->ifa_addr == nullptr) continue;
    const bool v4 = at->ifa_addr->sa_family == AF_INET;
    if (!v4 && at->ifa_addr->sa_family != AF_INET6) continue;
    sockaddr_storage storage{};
    std::memcpy(&storage, at->ifa_addr, v4 ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
    out.push_back(Endpoint::From(storage).address);
  }
  freeifaddrs(list);
  return out;
}

std::string_view ReasonAgainstName(std::string_view canonical_name) {
  constexpr std::string_view kSelf[] = {"localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback"};
  constexpr std::string_view kMetadata[] = {"metadata",      "metadata.google.internal",
                                            "metadata.goog", "metadata.azure.internal",
                                            "instance-data", "instance-data.ec2.internal"};
  if (std::find(std::begin(kSelf), std::end(kSelf), canonical_name) != std::end(kSelf)) return "loopback";
  if (canonical_name.ends_with(".localhost")) return "loopback";  // RFC 6761 6.3
  if (std::find(std::begin(kMetadata), std::end(kMetadata), canonical_name) != std::end(kMetadata)) return "metadata";
  return {};
}

}  // namespace egret
