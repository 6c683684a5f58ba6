#include "source/config/tap_options.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

#include "source/base/strings.h"
#include "source/config/duration.h"

namespace egret {
namespace {

constexpr int64_t kLongestMs = int64_t{168} * 3600 * 1000;

int64_t UnixMs() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

}  // namespace

TapOptions TapOptionsOf(const filters::http::v1::Tap& message, std::string_view version) {
  TapOptions options;
  options.path = message.file();
  options.creator_version = version;
  const int64_t now_ms = UnixMs();
  options.ends_unix_ms = message.has_duration() ? now_ms + static_cast<int64_t>(Milliseconds(message.duration()))
                                                : message.until().seconds() * 1000;
  options.ends_unix_ms = std::min(options.ends_unix_ms, now_ms + kLongestMs);
  if (message.has_max_exchanges()) options.max_exchanges = message.max_exchanges();
  if (message.has_max_file_bytes()) options.max_file_bytes = message.max_file_bytes();
  options.rules.content_bytes = message.max_content_bytes();
  options.rules.query_values = message.show_query_values();
  for (const std::string& name : message.redact_headers()) options.rules.secret_fields.push_back(ToLower(name));
  return options;
}

}  // namespace egret
