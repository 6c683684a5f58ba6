#include "source/config/data_source.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "source/base/strings.h"

namespace egret {
namespace {

constexpr size_t kMostBytes = size_t{16} << 20;

Result<std::string, Problem> ReadFile(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "re"), std::fclose);
  if (file == nullptr) return Problem{Cat("file ", path, " cannot be opened: ", std::strerror(errno))};
  std::string text;
  char block[16384];
  while (const size_t n = std::fread(block, 1, sizeof block, file.get())) {
    text.append(block, n);
    if (text.size() > kMostBytes) return Problem{Cat("file ", path, " is larger than 16 MiB")};
  }
  if (std::ferror(file.get()) != 0) return Problem{Cat("file ", path, " cannot be read: ", std::strerror(errno))};
  return text;
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
