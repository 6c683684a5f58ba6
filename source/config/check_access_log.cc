#include "source/config/check_access_log.h"

#include <string>

#include "source/chain/log_format.h"
#include "source/config/nearest.h"

namespace egret {

std::vector<ConfigError> CheckAccessLog(const config::v1::Bootstrap& bootstrap) {
  std::vector<ConfigError> errors;
  for (int i = 0; i < bootstrap.access_log_size(); ++i) {
    const config::v1::AccessLog& log = bootstrap.access_log(i);
    if (log.fingerprints() && log.format() == config::v1::AccessLog::TEXT)
      errors.push_back({.field = Below(Below("access_log", static_cast<size_t>(i)), "fingerprints"),
                        .why = "the format is TEXT",
                        .remedy = "write %TLS_JA4_FINGERPRINT% into text_format instead"});
    if (!log.has_text_format()) continue;
    ConfigError error{.field = Below(Below("access_log", static_cast<size_t>(i)), "text_format"),
                      .value = ShownValue(log.text_format())};
    if (log.format() != config::v1::AccessLog::TEXT) {
      error.why = "the format is JSON";
      error.remedy = "set format: TEXT, or leave it out";
    } else if (const auto format = LogFormat::Compile(log.text_format()); format) {
      continue;
    } else {
      error.why = format.error().why;
      if (!format.error().unknown.empty()) error.remedy = Suggest(format.error().unknown, LogFormat::Operators(), 32);
    }
    errors.push_back(std::move(error));
  }
  return errors;
}

}  // namespace egret
