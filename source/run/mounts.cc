#include "source/run/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <initializer_list>
#include <string_view>
#include <system_error>

#include "source/base/strings.h"
#include "source/run/channel.h"

namespace egret {
namespace {

// Where name services of the host are asked past the network; they would resolve for the command.
constexpr const char* kNameServices[] = {"/run/systemd/resolve", "/run/nscd"};
constexpr unsigned long kInert = MS_NOSUID | MS_NODEV | MS_NOEXEC;

// A place in memory to make files in, which are then hung elsewhere; it is gone with this, they are not.
class Workshop {
 public:
  explicit Workshop(const char* file, const char* place = "/tmp")
      : place_(place),
        there_(mount("none", place, "tmpfs", kInert, "size=16m,mode=0755") == 0),
        path_(Cat(place, "/", file)) {}
  ~Workshop() {
    if (there_) umount2(place_, MNT_DETACH);
  }
  Workshop(const Workshop&) = delete;
  Workshop& operator=(const Workshop&) = delete;

  // False: errno says why.
  bool Fill(std::string_view text) const {
    const OwnedFd file = Create();
    return file.get() >= 0 && write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
  }
  bool FillFrom(int fd) const {
    const OwnedFd file = Create();
    struct stat status{};
    if (file.get() < 0 || fstat(fd, &status) != 0) return false;
    off_t done = 0;
    while (done < status.st_size)
      if (sendfile(file.get(), fd, &done, static_cast<size_t>(status.st_size - done)) <= 0) return false;
    return true;
  }
  // In the place of a file that is there.
  bool HangAt(const char* path) const { return mount(path_.c_str(), path, nullptr, MS_BIND, nullptr) == 0; }
  // Stays where it is, as it is now; the path of its file. Empty: it does not.
  std::string Keep() {
    if (!there_ || mount(nullptr, place_, nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY | kInert, nullptr) != 0) return {};
    there_ = false;
    return path_;
  }

 private:
  OwnedFd Create() const { return OwnedFd(there_ ? open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0444) : -1); }
  const char* const place_;
  bool there_;
  const std::string path_;
};

bool IsEmptyFolder(const char* path) {
  std::error_code error;
  return std::filesystem::is_empty(path, error) && !error && std::filesystem::is_directory(path, error);
}

// Of those places, all that are there. The path of the first; empty: there is none.
std::string HangAtAll(int fd, std::initializer_list<const char*> places) {
  const Workshop workshop("roots");
  if (!workshop.FillFrom(fd)) return {};
  std::string first;
  for (const char* const path : places)
    if (workshop.HangAt(path) && first.empty()) first = path;
  return first;
}

std::string PutIntoEmptyFolder(int fd, const char* name) {
  for (const char* const place : {"/mnt", "/media", "/srv"}) {
    if (!IsEmptyFolder(place)) continue;
    Workshop workshop(name, place);
    if (!workshop.FillFrom(fd)) continue;
    if (std::string path = workshop.Keep(); !path.empty()) return path;
  }
  return {};
}

}  // namespace

bool HangMounts() {
  if (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return false;
  // Where parts of /proc are covered, as in many containers, a whole one is not to be had: then it shows processes that
  // cannot be reached.
  mount("proc", "/proc", "proc", kInert, nullptr);
  // The kernel's settings are the host's; where root is root outside as well, it could write them.
  for (const char* const path : {"/proc/sys", "/sys"})
    if (mount(path, path, nullptr, MS_BIND | MS_REC, nullptr) == 0)
      mount(nullptr, path, nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY | kInert, nullptr);
  const auto cover = [](const char* path) {
    return mount("none", path, "tmpfs", kInert | MS_RDONLY, "size=0,mode=0555") == 0 || errno == ENOENT;
  };
  return std::all_of(std::begin(kNameServices), std::end(kNameServices), cover);
}

void HangResolverFile() {
  const Workshop workshop("resolv.conf");
  if (workshop.Fill("nameserver 127.0.0.1\n")) workshop.HangAt("/etc/resolv.conf");
}

TrustPaths HangTrust(int pem, int java) {
  TrustPaths paths{
      .pem = HangAtAll(pem,
                       {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"}),
      .java = HangAtAll(java, {"/etc/ssl/certs/java/cacerts", "/etc/pki/ca-trust/extracted/java/cacerts"})};
  if (paths.java.empty()) paths.java = PutIntoEmptyFolder(java, "roots.p12");
  return paths;
}

}  // namespace egret
