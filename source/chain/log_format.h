// The text format of the access log: a line with operators as Envoy names them, compiled once with the configuration.
//
//   [%START_TIME%] "%REQ(:METHOD)% %REQ(:PATH)% %PROTOCOL%" %RESPONSE_CODE% %DURATION% %POLICY%/%RULE%
//
// %NAME%, %NAME(argument)%, %NAME:20% or %NAME(argument):20% for at most so many bytes; %% is a percent sign. What
// there is nothing of is "-". Whatever peers sent stays on the line: quotes, backslashes and all but printable ASCII
// are escaped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "source/base/result.h"
#include "source/chain/record.h"

namespace egret {

class LogFormat {
 public:
  struct Error {
    std::string why;
    std::string unknown;  // the word that is no operator; empty: something else is wrong
  };
  static constexpr std::string_view kDefault =
      "[%START_TIME%] \"%REQ(:METHOD)% %REQ(:PATH)% %PROTOCOL%\" %RESPONSE_CODE% %RESPONSE_FLAGS% %BYTES_RECEIVED% "
      "%BYTES_SENT% %DURATION% \"%DOWNSTREAM_REMOTE_ADDRESS%\" \"%REQ(USER-AGENT)%\" \"%UNIQUE_ID%\" "
      "\"%REQ(:AUTHORITY)%\" \"%UPSTREAM_HOST%\" %RESPONSE_CODE_DETAILS% %DECISION% %POLICY%/%RULE%";

  // One line; an end of line at its end may be left out.
  static Result<LogFormat, Error> Compile(std::string_view text);
  // The operators that there are, in the order of the documentation.
  static std::vector<std::string> Operators();

  // Whether an operator wants to know of the ClientHello more than its name.
  bool TellsOfHello() const;

  // One line with its end.
  void Append(std::string& out, const ExchangeRecord& record, uint64_t duration_ms) const;

 private:
  struct Moment {
    const ExchangeRecord& record;
    uint64_t duration_ms;
  };
  struct Operator {
    std::string_view name;
    bool takes_argument;
    // Appends the value as it is; what comes from peers is escaped by the caller.
    void (*append)(std::string& out, const Moment& moment, std::string_view argument);
  };
  struct Piece {
    std::string text;  // literal, or the operator's argument
    const Operator* of = nullptr;
    size_t most_bytes = SIZE_MAX;
  };
  static const std::vector<Operator>& Table();
  static Result<Piece, Error> CompileOperator(std::string_view inside);

  std::vector<Piece> pieces_;
};

// Envoy's response flag for a fault: "UF", "DC"...; empty where it has none.
std::string_view ResponseFlagOf(Fault fault);

}  // namespace egret
