// The address guard: what no name, however allowed, may lead to. It only refuses; no rule, order or audit outranks it.
// The list is that of the special-purpose registries (RFC 6890 and after), with IPv4 addresses embedded in IPv6 ones
// (NAT64, 6to4, Teredo, ISATAP) taken out and judged too, since a translator or relay would reach them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "source/base/ip.h"
#include "source/policy/cidr_set.h"
#include "source/policy/spec.h"

namespace egret {

// What stands against an address.
struct Finding {
  std::string_view reason;            // snake_case: "loopback", "private", "metadata", ...; empty: nothing does
  bool exemptible = false;            // `reaches_private` may open it; else it is final
  Cidr range;                         // the refused range, for the remedy
  std::optional<IpAddress> embedded;  // the IPv4 address inside, where that is what is refused

  explicit operator bool() const { return !reason.empty(); }
};

class AddressGuard {
 public:
  using MixedAnswers = AddressGuardSpec::MixedAnswers;

  AddressGuard() = default;
  // `own`: listeners and admin. Where one listens on every address, `local` says which those are (besides loopback).
  AddressGuard(std::vector<Cidr> also_refuse, std::vector<Endpoint> own, std::vector<IpAddress> local,
               MixedAnswers mixed_answers);

  // The first thing that stands against the address. `opened`: what each rule that would allow it says in
  // `reaches_private`. A finding is exempt only where there is such a rule and every one of them names the address (or
  // the IPv4 address inside it); own listeners, metadata services and link-local addresses never are.
  Finding Judge(const IpAddress& address, uint16_t port, std::span<const CidrSet* const> opened = {}) const;

  MixedAnswers mixed_answers() const { return mixed_answers_; }

 private:
  bool Own(const IpAddress& address, uint16_t port) const;
  Finding JudgeOne(const IpAddress& address, uint16_t port) const;

  std::vector<Cidr> also_refuse_;
  CidrSet also_refuse_set_;
  std::vector<Endpoint> own_;
  std::vector<IpAddress> local_;
  MixedAnswers mixed_answers_ = MixedAnswers::kRefuse;
};

// For people: "10.1.2.3 is a private address (10.0.0.0/8). ..." and what to write where it can be opened. `rules` names
// the rules that allow the target and do not open the range.
std::string Remedy(const IpAddress& address, const Finding& finding, std::string_view rules);

// The addresses of this host's interfaces, for the guard's `local`. Reads them from the kernel.
std::vector<IpAddress> LocalAddresses();

// Why a name is refused where a parent proxy resolves it, so that the answer is not seen: it means the host itself or
// its metadata service wherever it is resolved. Empty: no reason.
std::string_view ReasonAgainstName(std::string_view canonical_name);

}  // namespace egret
