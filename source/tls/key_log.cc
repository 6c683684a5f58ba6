#include "source/tls/key_log.h"

#include <fcntl.h>
#include <openssl/ssl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "source/base/check.h"
#include "source/base/log.h"
#include "source/base/strings.h"

namespace egret {
namespace {

// Why a file that is there already is not to be written secrets to; null: it may.
const char* Unfit(const struct stat& file) {
  if (!S_ISREG(file.st_mode)) return "it is not a regular file";
  if (file.st_uid != geteuid()) return "it belongs to another user";
  if ((file.st_mode & (S_IRWXG | S_IRWXO)) != 0) return "others may open it; chmod 600";
  if (file.st_nlink != 1) return "it has a second name";
  return nullptr;
}

}  // namespace

std::atomic<KeyLog*> KeyLog::current_{nullptr};

Result<std::unique_ptr<KeyLog>, Problem> KeyLog::Open(Options options) {
  // Not to wait for who reads a FIFO; and of two processes while one takes over, each appends.
  const int flags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  const int fd = open(options.path.c_str(), flags, S_IRUSR | S_IWUSR);
  if (fd < 0) return Problem{errno == ELOOP ? "it is a link" : std::strerror(errno)};
  struct stat file{};
  const char* const unfit = fstat(fd, &file) != 0 ? std::strerror(errno) : Unfit(file);
  if (unfit != nullptr) {
    close(fd);
    return Problem{unfit};
  }
  return std::unique_ptr<KeyLog>(new KeyLog(std::move(options), fd, static_cast<uint64_t>(file.st_size)));
}

KeyLog::KeyLog(Options options, int fd, uint64_t bytes)
    : options_(std::move(options)),
      fd_(fd),
      ends_(Clock::now() + std::chrono::milliseconds(options_.duration_ms)),
      bytes_(bytes) {
  CHECK(current_.exchange(this, std::memory_order_acq_rel) == nullptr);
}

KeyLog::~KeyLog() {
  current_.store(nullptr, std::memory_order_release);
  close(fd_);
}

void KeyLog::Use(SSL_CTX* context) {
  if (Current() == nullptr) return;
  SSL_CTX_set_keylog_callback(context, [](const SSL* /*ssl*/, const char* line) {
    if (KeyLog* const log = Current()) log->Write(line);
  });
}

void KeyLog::Write(std::string_view line) {
  if (ended_.load(std::memory_order_relaxed)) return;
  if (!active()) return End("its time is over");
  const size_t size = line.size() + 1;
  if (bytes_.fetch_add(size, std::memory_order_relaxed) + size > options_.max_file_bytes)
    return End("the file is as large as it may be");
  // In one call: lines of several threads do not mix. No copy of a secret is made.
  char end = '\n';
  const std::array<iovec, 2> parts = {{{const_cast<char*>(line.data()), line.size()}, {&end, 1}}};
  const ssize_t written = writev(fd_, parts.data(), parts.size());
  if (written != static_cast<ssize_t>(size)) End(written < 0 ? std::strerror(errno) : "the disk is full");
}

void KeyLog::End(std::string_view why) {
  if (ended_.exchange(true, std::memory_order_relaxed)) return;
  Log(LogComponent::kTls, LogLevel::kWarning, "TLS secrets are no longer written to ", options_.path, ": ", why);
}

}  // namespace egret
