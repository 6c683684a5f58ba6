// The address guard: what no name, however allowed, may lead to. It only refuses; no rule, order or audit outranks it.
// The list is that of the special-purpose registries (RFC 6890 and after), with IPv4 addresses embedded in IPv6 ones
// (NAT64, 6to4, Teredo, ISATAP) taken out and judged too, since a translator or relay would reach them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "source/base/ip.h"
#include "source/policy/cidr_set.h"
#include "source/policy/spec.h"

namespace egret {

// What the guard says about one address, rules aside.
struct Finding {
  std::string_view reason;            // snake_case: "loopback", "private", "metadata", ...; empty: a public address
  bool exemptible = false;            // `reaches_private` may open it
  std::optional<IpAddress> embedded;  // the IPv4 address inside that was refused, rather than the address itself
  Cidr range;                         // the refused range, for the remedy

  explicit operator bool() const { return !reason.empty(); }
};

class AddressGuard {
 public:
  AddressGuard() = default;
  // `own`: listeners and admin. Where one listens on every address, `local` says which those are (besides loopback).
  AddressGuard(CidrSet also_refuse, std::vector<Endpoint> own, std::vector<IpAddress> local,
               AddressGuardSpec::MixedAnswers mixed_answers);

  // Everything that stands against the address: the worst first found. A finding that is not exemptible is final.
  Finding Judge(const IpAddress& address, uint16_t port) const;
  // The same with the ranges that rules opened: refused unless every set contains the address (or the IPv4 address
  // inside it), and refused for good where nothing can open it.
  template <class Sets>  // a range of const CidrSet*
  Finding Judge(const IpAddress& address, uint16_t port, const Sets& opened) const;

  AddressGuardSpec::MixedAnswers mixed_answers() const { return mixed_answers_; }

 private:
  bool Own(const IpAddress& address, uint16_t port) const;

  CidrSet also_refuse_;
  std::vector<Endpoint> own_;
  std::vector<IpAddress> local_;
  AddressGuardSpec::MixedAnswers mixed_answers_ = AddressGuardSpec::MixedAnswers::kRefuse;
};

// The addresses of this host's interfaces, for the guard's `local`. Reads them from the kernel.
std::vector<IpAddress> LocalAddresses();

// A name that means this host or its metadata service wherever it is resolved: refused where a parent proxy resolves,
// since the answer cannot be seen. Empty: none.
std::string_view ReasonAgainstName(std::string_view canonical_name);

}  // namespace egret
