#include "source/config/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "source/base/strings.h"

namespace egret {
namespace {

// Closes what it holds.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

Unfit CannotRead(int error) {
  return {Cat("cannot be read: ", strerror(error)), error == ENOENT   ? "check the path"
                                                    : error == EACCES ? "let the proxy's user read it"
                                                                      : ""};
}

}  // namespace

Result<std::string, Unfit> ReadWholeFile(const std::string& path, size_t most, FileKind kind) {
  // Asked before it is opened: opening a pipe that nobody writes to waits.
  struct stat about = {};
  if (stat(path.c_str(), &about) != 0) return CannotRead(errno);
  if (S_ISDIR(about.st_mode)) return CannotRead(EISDIR);
  if (kind == FileKind::kRegular && !S_ISREG(about.st_mode)) return Unfit{"not a file", "name a regular file"};
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return CannotRead(errno);
  std::string text;
  constexpr size_t kStep = 64 << 10;
  while (true) {
    const size_t before = text.size();
    text.resize(before + kStep);
    const ssize_t got = read(file.get(), text.data() + before, kStep);
    if (got < 0 && errno != EINTR) return CannotRead(errno);
    text.resize(before + (got > 0 ? static_cast<size_t>(got) : 0));
    if (got == 0) return text;
    if (text.size() > most) return Unfit{Cat("larger than ", most >> 20, " MiB"), "make it smaller"};
  }
}

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
