// "No permit, no dial; no second permit, no byte." Only Policy makes these, and they cannot be copied: dialling takes a
// DialPermit, writing to what was dialled takes a UsePermit that binds it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "source/base/ip.h"
#include "source/policy/stack.h"
#include "source/policy/target.h"

namespace egret {

// What an exchange asks for.
enum class Ask : uint8_t {
  kRequest,  // forward this request: method, path and headers are known from the start
  kTunnel,   // CONNECT, or a connection that was redirected here
};

// A destination that the operator configured: a parent proxy, a control plane. Only config makes one.
class ConfiguredTarget {
 public:
  // For config's compiler, from what an operator wrote; never from what a peer sent.
  static ConfiguredTarget FromConfig(std::string name, Target target) {
    return ConfiguredTarget(std::move(name), std::move(target));
  }
  const std::string& name() const { return name_; }
  const Target& target() const { return target_; }

 private:
  ConfiguredTarget(std::string name, Target target) : name_(std::move(name)), target_(std::move(target)) {}
  std::string name_;
  Target target_;
};

// Made at stage T: this exchange may have its target's name resolved, or be offered a pooled link.
class Admission {
 public:
  Admission(Admission&&) noexcept = default;
  Admission& operator=(Admission&&) noexcept = default;

  const Target& target() const { return target_; }
  const PolicyStack& stack() const { return stack_; }
  Ask ask() const { return ask_; }

 private:
  friend class Policy;
  Admission(Target target, PolicyStack stack, Ask ask)
      : target_(std::move(target)), stack_(std::move(stack)), ask_(ask) {}

  Target target_;
  PolicyStack stack_;
  Ask ask_;
};

// The name that a tunnel to an address shows in its ClientHello: judged as well, as if it were the target.
struct ShownName {
  Target target;
  std::vector<IpAddress> resolved;  // everything that it resolved to
};

// What was dialled, as a record that later stages judge and a tunnel keeps for revocation.
struct Binding {
  uint64_t permit_id = 0;
  Target target;
  std::vector<IpAddress> resolved;         // everything that the name resolved to; empty where a parent resolves it
  bool remote = false;                     // the parent proxy resolves the name
  std::shared_ptr<const ShownName> shown;  // null: the target is a name, or no other is shown
};

// Made at stage A: one dial, to these addresses only.
class DialPermit {
 public:
  DialPermit(DialPermit&&) noexcept = default;
  DialPermit& operator=(DialPermit&&) noexcept = default;

  uint64_t id() const { return binding_.permit_id; }
  const Target& target() const { return binding_.target; }
  const Binding& binding() const { return binding_; }
  // Vetted, in the order they were given. Empty only with next_hop().
  const std::vector<IpAddress>& addresses() const { return addresses_; }
  // Where the target is reached through a parent proxy that resolves it: dial this and nothing else.
  const std::optional<ConfiguredTarget>& next_hop() const { return next_hop_; }
  // Leaves only this address; false, and nothing changed, where it is not among them.
  bool Narrow(const IpAddress& only) {
    if (std::find(addresses_.begin(), addresses_.end(), only) == addresses_.end()) return false;
    addresses_.assign(1, only);
    return true;
  }
  uint64_t generation() const { return generation_; }  // of the policy that made it
  const std::string& policy() const { return policy_; }
  const std::string& rule() const { return rule_; }

 private:
  friend class Policy;
  DialPermit() = default;

  Binding binding_;
  std::vector<IpAddress> addresses_;
  std::optional<ConfiguredTarget> next_hop_;
  uint64_t generation_ = 0;
  std::string policy_;
  std::string rule_;
};

// What was dialled, as far as a UsePermit asks.
struct Link {
  uint64_t permit_id = 0;
  IpAddress peer;
  std::string_view next_hop;  // the ConfiguredTarget's name; empty: dialled directly, or to a target resolved here
};

enum class Use : uint8_t {
  kRelay,    // the client's bytes, unread
  kInspect,  // the origin's TLS handshake, and the SETTINGS that HTTP/2 begins with; nothing of the client's
  kRequest,  // one request, to this target
};

template <Use U>
class UsePermit {
 public:
  UsePermit(UsePermit&&) noexcept = default;
  UsePermit& operator=(UsePermit&&) noexcept = default;

  bool Fits(const Link& link) const {
    if (peer_) return link.next_hop.empty() && *peer_ == link.peer;
    return next_hop_.empty() ? permit_id_ == link.permit_id : next_hop_ == link.next_hop;
  }
  const Target& target() const { return target_; }

 private:
  friend class Policy;
  explicit UsePermit(Target target) : target_(std::move(target)) {}

  Target target_;
  // One of three says which link: the permit that it was dialled with, or of a pooled one its peer or its next hop.
  uint64_t permit_id_ = 0;
  std::optional<IpAddress> peer_;
  std::string next_hop_;
};

using RelayPermit = UsePermit<Use::kRelay>;
using InspectPermit = UsePermit<Use::kInspect>;
using RequestPermit = UsePermit<Use::kRequest>;

}  // namespace egret
