// What is known when a decision is made.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "source/base/field.h"
#include "source/base/ip.h"
#include "source/policy/identity.h"
#include "source/policy/spec.h"
#include "source/policy/target.h"

namespace egret {

// Known, absent (known not to be there) or unknown (may still be learned). Unknown until said.
template <class T>
class Fact {
 public:
  Fact() = default;
  Fact(T value) : state_(State::kKnown), value_(value) {}  // NOLINT(google-explicit-constructor)
  static Fact Absent() {
    Fact out;
    out.state_ = State::kAbsent;
    return out;
  }

  bool known() const { return state_ == State::kKnown; }
  bool absent() const { return state_ == State::kAbsent; }
  bool unknown() const { return state_ == State::kUnknown; }
  const T& value() const { return value_; }  // only if known

 private:
  enum class State : uint8_t { kUnknown, kAbsent, kKnown };
  State state_ = State::kUnknown;
  T value_{};
};

// Of whom it is settled who they are. Absent: nobody (null), or nobody any more. `now`: seconds since 1970.
inline Fact<const Identity*> IdentityFact(const Identity* identity, int64_t now) {
  if (identity == nullptr || !identity->HoldsAt(now)) return Fact<const Identity*>::Absent();
  return identity;
}

// Nothing here is owned: all of it lives longer than the call that takes it.
struct Facts {
  IpAddress source;
  // Unknown: a credential could still come (none did, and none is demanded). Absent: anonymous for good.
  Fact<const Identity*> identity;
  const Target* target = nullptr;
  Fact<std::span<const IpAddress>> resolved;  // everything that the name resolved to; ignored for a literal
  Fact<Protocol> protocol;                    // of what a tunnel carries; of a plain request kHttp, or kTls for https
  Fact<std::string_view> sni;                 // as received
  bool ech = false;                           // the ClientHello has an encrypted one in it, real or noise
  Fact<std::string_view> ja3, ja4;            // of the ClientHello; absent where there is none
  Fact<std::string_view> method;
  Fact<std::string_view> path;  // as it is forwarded, without the query
  Fact<std::span<const Field>> headers;
  int64_t now = 0;  // seconds since 1970
};

}  // namespace egret
