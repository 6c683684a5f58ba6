// A service outside that says whether a request may go on. What it is asked and what it answers are plain values;
// who speaks with it, and how, is handed in.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "source/base/field.h"
#include "source/base/ip.h"
#include "source/event/pending.h"

namespace egret {

// Told with every request of a filter.
struct AuthzExtension {
  std::string key, value;
};

// Views live as long as the call of Authorizer::Ask.
struct AuthzQuestion {
  std::string_view id;  // the request id
  uint64_t started_unix_us = 0;
  Endpoint source;
  std::string_view principal;    // empty: nobody
  std::string_view destination;  // canonical name, or address without brackets
  uint16_t destination_port = 0;
  std::string_view method, path, protocol;
  std::string host;
  std::string_view scheme;
  int64_t size = -1;  // of the content; -1: unknown
  std::vector<Field> fields;
  std::span<const AuthzExtension> extensions;
};

// What is to be done to one field.
struct AuthzField {
  enum class How : uint8_t { kSet, kAppend, kAddIfAbsent, kSetIfPresent, kRemove };
  How how = How::kSet;
  std::string name, value;
};

// As it came; nothing in it is known to be sound.
struct AuthzAnswer {
  enum class Verdict : uint8_t {
    kAllowed,
    kDenied,
    kNone,        // nobody was reached, or not in time
    kUnreadable,  // something came, and it may have been a denial
  };
  Verdict verdict = Verdict::kNone;
  std::string problem;  // why there is no verdict, for the log

  std::vector<AuthzField> request;   // allowed: of what goes on
  std::vector<AuthzField> response;  // of what the client gets
  int status = 403;                  // denied
  std::string body;                  // denied; empty: the proxy's own
};

class Authorizer {
 public:
  // A question under way. Destroyed, it is given up.
  class Call {
   public:
    virtual ~Call() = default;
  };

  virtual ~Authorizer() = default;
  // On a worker's thread, whose loop gets the answer, always and once, unless it is given up. Never blocks.
  virtual std::unique_ptr<Call> Ask(const AuthzQuestion& question, const Pending<AuthzAnswer>& answer) const = 0;
};

}  // namespace egret
