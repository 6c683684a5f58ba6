// Content negotiation for what the proxy itself has to say (RFC 9110 12.5.1).
#pragma once

#include <cstdint>
#include <string_view>

namespace egret {

enum class TextForm : uint8_t { kPlain, kJson, kHtml };

// Which of the three an Accept field's value asks for. `application/json`, `application/problem+json` and every other
// `+json` stand for JSON. Where several are wanted alike, the one that is named more exactly, then the one that is
// named first; plain text where nothing decides, and where none is acceptable: a refusal has to be told somehow.
TextForm AcceptedForm(std::string_view accept);

// Whether metrics are wanted as OpenMetrics at least as much as in Prometheus' own text format. Only by name: a range
// such as */* gets what everybody can read.
bool PrefersOpenMetrics(std::string_view accept);

// Whether an Accept-Encoding field's value takes gzip (RFC 9110 12.5.3).
bool TakesGzip(std::string_view accept_encoding);

}  // namespace egret
