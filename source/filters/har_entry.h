// One captured exchange, and what is written of it: an entry of HAR 1.2. What may be a secret is left out here, in the
// one place where text is made of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace egret {

struct HarMessage {
  std::string_view version;  // static: "HTTP/1.1"
  std::vector<std::pair<std::string, std::string>> fields;
  std::string content;         // its beginning, as it came
  uint64_t content_bytes = 0;  // of all of it
  bool whole = true;           // it came to its end
};

struct HarExchange {
  uint64_t started_unix_us = 0;
  uint64_t total_ms = 0;
  int64_t wait_ms = -1;  // until the response's head; -1: there was none
  std::string request_id;
  std::string method;
  std::string url;
  std::string server;  // address, without its port; may be empty
  int status = 0;      // 0: no response
  std::string reason;
  HarMessage request, response;

  size_t bytes() const;  // that it takes, about
};

// What is shown.
struct HarRules {
  std::vector<std::string> secret_fields;  // in lower case; beside those that always are
  bool query_values = false;
  size_t content_bytes = 0;  // of each content, also after it was decoded
};

// Appends the entry, in one line without its end.
void AppendHarEntry(std::string& out, const HarExchange& exchange, const HarRules& rules);

// Whether a field of that name carries credentials, as far as its name tells.
bool IsSecretField(std::string_view name, const HarRules& rules);
// The URL with "redacted" for each value in its query.
std::string WithoutQueryValues(std::string_view url);

}  // namespace egret
