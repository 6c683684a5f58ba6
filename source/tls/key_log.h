// The secrets of this process's TLS connections, written to a file in the format that NSS began and Wireshark reads
// (draft-ietf-tls-keylogfile), so that what was captured can be decrypted. For finding faults: whoever reads the file
// reads all that was said. So it is nobody's but ours, and ends by itself. Thread-safe but for its beginning and end.
#pragma once

#include <openssl/types.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "source/base/result.h"

namespace egret {

class KeyLog {
 public:
  struct Options {
    std::string path;
    uint64_t duration_ms = 3600000;
    uint64_t max_file_bytes = uint64_t{64} << 20;
  };

  // Makes the file with mode 0600, or goes on with one that is ours and nobody else's; never through a link. From here
  // on, contexts that are made (NewSslContext) write to it: of both sides, clients', origins' and parents'. One at a
  // time; it outlives the threads that serve.
  static Result<std::unique_ptr<KeyLog>, Problem> Open(Options options);
  ~KeyLog();
  KeyLog(const KeyLog&) = delete;
  KeyLog& operator=(const KeyLog&) = delete;

  // Of the process; null: there is none.
  static KeyLog* Current() { return current_.load(std::memory_order_acquire); }
  // Lets the connections of a new context write to the process's, if there is one.
  static void Use(SSL_CTX* context);

  // False once its time is over, the file is full, or it could not be written.
  bool active() const { return !ended_.load(std::memory_order_relaxed) && Clock::now() < ends_; }
  const std::string& path() const { return options_.path; }

 private:
  using Clock = std::chrono::steady_clock;
  KeyLog(Options options, int fd, uint64_t bytes);
  void Write(std::string_view line);
  void End(std::string_view why);

  static std::atomic<KeyLog*> current_;
  const Options options_;
  const int fd_;
  const Clock::time_point ends_;
  std::atomic<uint64_t> bytes_;
  std::atomic<bool> ended_{false};
};

}  // namespace egret
