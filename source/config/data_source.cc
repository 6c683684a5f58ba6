#include "source/config/data_source.h"

#include <cstdlib>
#include <utility>

#include "source/base/strings.h"
#include "source/config/file.h"
#include "source/config/scalar.h"

namespace egret {
namespace {

constexpr size_t kMostBytes = size_t{16} << 20;

Result<std::string, Problem> ReadFile(const std::string& path) {
  Result<std::string, Unfit> text = ReadWholeFile(path, kMostBytes);
  if (!text) return Problem{Cat("file ", path, ": ", text.error().why)};
  return std::move(*text);
}

}  // namespace

Result<std::string, Problem> ReadDataSource(const config::v1::DataSource& source) {
  switch (source.source_case()) {
    case config::v1::DataSource::kFile:
      return ReadFile(source.file());
    case config::v1::DataSource::kEnvironment: {
      const char* const value = std::getenv(source.environment().c_str());
      if (value == nullptr) return Problem{Cat("environment variable ", source.environment(), " is not set")};
      return std::string(value);
    }
    case config::v1::DataSource::kInlineString:
      return source.inline_string();
    case config::v1::DataSource::kInlineBytes:
      return source.inline_bytes();
    case config::v1::DataSource::SOURCE_NOT_SET:
      break;
  }
  return Problem{"names no source; give file, environment or inline_string"};
}

}  // namespace egret
