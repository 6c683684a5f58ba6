// What each field takes on its own: required or not, its bounds, its form, and whether it is built yet. One table,
// keyed by the full name of the field; the comments in api/ say the same in words.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace egret {

struct FieldRule {
  enum class Kind : uint8_t {
    kRequired,     // set, and not empty or 0
    kNotBuilt,     // refused
    kNotValue,     // the enum value of this name is refused: not built yet
    kDuration,     // low to high, in milliseconds
    kNumber,       // low to high, each entry of a list
    kLength,       // text: at most `high` bytes
    kCount,        // list: at most `high` entries
    kName,         // of a resource
    kAddress,      // one, no range; each entry of a list
    kCidr,         // a range of addresses, each entry of a list
    kPath,         // absolute, at most 4096 bytes
    kToken,        // RFC 9110 token
    kHeader,       // the name of a header field that may be rewritten
    kMediaType,    // of content, or all of one kind: "text/html", "text/*"
    kFieldText,    // the value of a header field
    kListen,       // a listening address
    kLoopback,     // a listening address that only this host reaches
    kServer,       // host:port
    kHost,         // a host name or an address
    kDns,          // address:port
    kCipherSuite,  // of TLS 1.2, one that may be used
  };
  std::string_view field;
  Kind kind;
  int64_t low = 0;
  int64_t high = 0;
  std::string_view value = {};
};

std::span<const FieldRule> FieldRules();

}  // namespace egret
