#include "source/config/replace_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "source/base/strings.h"

namespace egret {
namespace {

Problem Failed(std::string_view what, const std::string& path) {
  return Problem{Cat(path, ": ", what, ": ", std::strerror(errno))};
}

// Written and on the disk, or not there.
std::optional<Problem> WriteFile(const std::string& path, std::string_view text) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) return Failed("cannot be made", path);
  std::optional<Problem> problem;
  if (fchmod(file, 0600) != 0) problem = Failed("cannot be made private", path);
  while (!problem && !text.empty()) {
    const ssize_t written = write(file, text.data(), text.size());
    if (written < 0)
      problem = Failed("cannot be written", path);
    else
      text.remove_prefix(static_cast<size_t>(written));
  }
  if (!problem && fsync(file) != 0) problem = Failed("cannot be written", path);
  close(file);
  if (problem) unlink(path.c_str());
  return problem;
}

void SyncFolderOf(const std::string& path) {
  const int folder = open(path.substr(0, path.rfind('/') + 1).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return;
  fsync(folder);
  close(folder);
}

}  // namespace

std::optional<Problem> ReplaceFile(const std::string& path, std::string_view text, std::string_view beside) {
  const std::string temporary = Cat(path, beside);
  if (auto problem = WriteFile(temporary, text)) return problem;
  if (rename(temporary.c_str(), path.c_str()) != 0) {
    const Problem problem = Failed("cannot be put in place", path);
    unlink(temporary.c_str());
    return problem;
  }
  SyncFolderOf(path);
  return std::nullopt;
}

}  // namespace egret
