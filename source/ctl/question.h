// What egretctl explain is asked, owned, whichever form it came in; and the forms METHOD URL and CONNECT HOST:PORT.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "source/base/field.h"
#include "source/base/ip.h"
#include "source/base/result.h"
#include "source/policy/explain.h"
#include "source/policy/facts.h"
#include "source/policy/spec.h"
#include "source/policy/target.h"

namespace egret {

struct HeaderLine {
  std::string name;
  std::string value;
};

struct Asked {
  Target target;
  std::optional<Identity> identity;
  std::vector<IpAddress> resolved;  // of the name; of a literal's tunnel, what the SNI resolves to. Empty: unknown
  std::optional<std::string> sni;   // empty text: the ClientHello names none
  std::optional<std::string> ja3, ja4;
  bool ech = false;
  std::optional<std::string> method;
  std::string path;  // with the method, without the query
  std::vector<HeaderLine> headers;
  std::vector<std::string> assumed;  // what nobody said, for people
  std::optional<int64_t> now;        // seconds since 1970
  std::optional<IpAddress> source;
  std::optional<Protocol> protocol;
  Ask ask = Ask::kTunnel;
  bool nobody = false;  // known to have no identity
  bool headers_known = true;
  bool logged = false;  // taken from the access log, which does not hold everything
};

// Any method but CONNECT takes an absolute URL: with http a request to the proxy, with https one inside a tunnel.
Result<Asked, Problem> AskFor(std::string_view method, std::string_view target);

// "POST /simple/": the request inside a tunnel.
std::optional<Problem> AskInside(std::string_view request, Asked& asked);

// "Name: value". Nullopt: it is none.
std::optional<HeaderLine> ParseHeaderLine(std::string_view line);

// "TLS", "HTTP", "OTHER", in any case.
std::optional<Protocol> ParseProtocol(std::string_view text);

// Gives what is left open its usual value, and says so in `assumed`.
void Assume(Asked& asked);

// Refers to both, `fields` being room for slices of the headers.
Question AsQuestion(const Asked& asked, std::vector<Field>& fields);

}  // namespace egret
