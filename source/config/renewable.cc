#include "source/config/renewable.h"

#include <sys/stat.h>

#include "source/base/strings.h"

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

}  // namespace egret
