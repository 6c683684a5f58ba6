// The file that a tap writes, and the thread that writes it: HAR 1.2, complete after each entry. Whoever captures only
// hands over; what does not fit into the bounded queue is dropped and counted. It ends by itself: at a time, or when it
// holds as much as it may. Shared by all workers; thread-safe.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "source/filters/har_entry.h"

namespace egret {

struct TapOptions {
  std::string path;
  int64_t ends_unix_ms = 0;
  uint64_t max_exchanges = 1000;
  uint64_t max_file_bytes = uint64_t{64} << 20;
  HarRules rules;
  std::string creator_version;
};

class TapFile {
 public:
  enum class State : uint8_t {
    kNew,  // not begun
    kOpen,
    kOver,    // its time is over
    kFull,    // it holds as many exchanges, or bytes, as it may
    kFailed,  // it could not be made, or written to
  };

  explicit TapFile(TapOptions options) : options_(std::move(options)) {}
  // Writes what was handed over.
  ~TapFile();
  TapFile(const TapFile&) = delete;
  TapFile& operator=(const TapFile&) = delete;

  // Once. Makes the file, of mode 0600 and never through a link: what is there already is left alone, and the tap has
  // failed.
  void Begin();

  // Whether an exchange that begins now is to be captured; it counts then.
  bool Take();
  void Put(std::unique_ptr<const HarExchange> exchange);

  const TapOptions& options() const { return options_; }
  State state() const { return state_.load(std::memory_order_relaxed); }
  std::string why() const;  // it has failed
  uint64_t written() const { return written_.load(std::memory_order_relaxed); }
  uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }
  uint64_t file_bytes() const { return file_bytes_.load(std::memory_order_relaxed); }

 private:
  bool TimeIsOver() const;
  void Open();
  void Run();
  // The next one; null: it ends.
  std::unique_ptr<const HarExchange> Next();
  void Write(const HarExchange& exchange);
  bool WriteAt(uint64_t offset, std::string_view text);
  void End(State state, std::string why = {});

  const TapOptions options_;
  int fd_ = -1;            // the writer's
  uint64_t tail_ = 0;      // where the end of the document begins
  std::string line_ = {};  // the writer's
  std::atomic<State> state_{State::kNew};
  std::atomic<uint64_t> taken_{0}, written_{0}, dropped_{0}, file_bytes_{0};
  mutable std::mutex mutex_;
  std::condition_variable filled_;
  std::deque<std::unique_ptr<const HarExchange>> queue_;
  size_t queued_bytes_ = 0;
  bool closed_ = false;
  std::string why_;
  std::thread thread_;
};

std::string_view NameOf(TapFile::State state);

}  // namespace egret
