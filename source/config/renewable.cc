#include "source/config/renewable.h"

#include <sys/stat.h>

#include "source/base/check.h"
#include "source/base/strings.h"
#include "source/config/data_source.h"

namespace egret {

std::string StampOf(const std::vector<std::string>& files) {
  std::string stamp;
  for (const std::string& file : files) {
    struct stat now{};
    if (stat(file.c_str(), &now) == 0)
      Append(stamp, now.st_dev, ":", now.st_ino, ":", now.st_size, ":", now.st_mtim.tv_sec, ".", now.st_mtim.tv_nsec);
    stamp += ';';
  }
  return stamp;
}

const config::v1::Secret& FindSecret(const config::v1::Bootstrap& bootstrap, const std::string& name) {
  for (const config::v1::Secret& secret : bootstrap.secrets())
    if (secret.name() == name) return secret;
  CHECK(false && "validated");
}

Result<std::string, Problem> ReadPart(const config::v1::DataSource& source, const config::v1::Secret& secret,
                                      std::string_view field) {
  if (source.source_case() == config::v1::DataSource::SOURCE_NOT_SET) return std::string();
  Result<std::string, Problem> text = ReadDataSource(source);
  if (!text) return Problem{Cat("secrets.", secret.name(), ".", field, ": ", text.error().text)};
  return text;
}

}  // namespace egret
