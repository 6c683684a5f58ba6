#include "source/filters/tap_file.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "source/base/json.h"
#include "source/base/log.h"
#include "source/base/strings.h"

namespace egret {
namespace {

using std::chrono::milliseconds;
using std::chrono::system_clock;

constexpr size_t kMostQueued = size_t{16} << 20;
constexpr std::string_view kTail = "\n]}}\n";

std::string Beginning(std::string_view version) {
  std::string text = R"({"log":{"version":"1.2","creator":{"name":"egret","version":)";
  AppendJsonString(text, version);
  return text + R"(},"entries":[)";
}

}  // namespace

std::string_view NameOf(TapFile::State state) {
  switch (state) {
    case TapFile::State::kNew:
      return "new";
    case TapFile::State::kOpen:
      return "open";
    case TapFile::State::kOver:
      return "over";
    case TapFile::State::kFull:
      return "full";
    case TapFile::State::kFailed:
      return "failed";
  }
  return "";
}

void TapFile::Begin() {
  if (TimeIsOver()) {
    state_ = State::kOver;
    return;
  }
  Open();
  if (state_ == State::kFailed) return;
  state_ = State::kOpen;
  Log(LogComponent::kHttp, LogLevel::kWarning, "tap: what clients exchange is captured to ", options_.path, ", ",
      options_.rules.content_bytes > 0 ? "content too" : "without content", ", until it ends by itself");
  thread_ = std::thread([this] { Run(); });
}

TapFile::~TapFile() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    filled_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
  if (fd_ >= 0) close(fd_);
}

void TapFile::Open() {
  fd_ = open(options_.path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  const int error = errno;
  if (fd_ < 0) return End(State::kFailed, error == EEXIST ? "it is there already; move it away" : std::strerror(error));
  const std::string text = Beginning(options_.creator_version);
  if (!WriteAt(0, Cat(text, kTail))) return End(State::kFailed, std::strerror(errno));
  tail_ = text.size();
}

bool TapFile::TimeIsOver() const {
  return system_clock::now() >= system_clock::time_point(milliseconds(options_.ends_unix_ms));
}

bool TapFile::Take() {
  if (state() != State::kOpen || TimeIsOver()) return false;
  if (taken_.fetch_add(1, std::memory_order_relaxed) < options_.max_exchanges) return true;
  taken_.fetch_sub(1, std::memory_order_relaxed);
  return false;
}

void TapFile::Put(std::unique_ptr<const HarExchange> exchange) {
  const size_t bytes = exchange->bytes();
  const std::lock_guard lock(mutex_);
  if (closed_ || state() != State::kOpen || queued_bytes_ + bytes > kMostQueued) {
    dropped_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  queued_bytes_ += bytes;
  queue_.push_back(std::move(exchange));
  filled_.notify_one();
}

std::unique_ptr<const HarExchange> TapFile::Next() {
  std::unique_lock lock(mutex_);
  const system_clock::time_point end{milliseconds(options_.ends_unix_ms)};
  filled_.wait_until(lock, end, [this] { return closed_ || !queue_.empty(); });
  if (queue_.empty()) return nullptr;
  std::unique_ptr<const HarExchange> next = std::move(queue_.front());
  queue_.pop_front();
  queued_bytes_ -= next->bytes();
  return next;
}

void TapFile::Run() {
  pthread_setname_np(pthread_self(), "egret-tap");
  while (state() == State::kOpen) {
    const std::unique_ptr<const HarExchange> exchange = Next();
    if (exchange == nullptr) return End(State::kOver);
    Write(*exchange);
    if (state() == State::kOpen && written() == options_.max_exchanges) End(State::kFull);
  }
}

// The new entry takes the place of the document's end, and brings it along.
void TapFile::Write(const HarExchange& exchange) {
  line_ = written() == 0 ? "\n" : ",\n";
  AppendHarEntry(line_, exchange, options_.rules);
  const size_t entry = line_.size();
  line_ += kTail;
  if (tail_ + line_.size() > options_.max_file_bytes) {
    dropped_.fetch_add(1, std::memory_order_relaxed);
    return End(State::kFull);
  }
  if (!WriteAt(tail_, line_)) {
    const std::string why = std::strerror(errno);
    dropped_.fetch_add(1, std::memory_order_relaxed);
    // What was there before had room.
    if (ftruncate(fd_, static_cast<off_t>(tail_)) == 0) WriteAt(tail_, kTail);
    return End(State::kFailed, why);
  }
  tail_ += entry;
  written_.fetch_add(1, std::memory_order_relaxed);
}

bool TapFile::WriteAt(uint64_t offset, std::string_view text) {
  const uint64_t end = offset + text.size();
  while (!text.empty()) {
    const ssize_t n = pwrite(fd_, text.data(), text.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    text.remove_prefix(static_cast<size_t>(n));
    offset += static_cast<uint64_t>(n);
  }
  file_bytes_.store(end, std::memory_order_relaxed);
  return true;
}

void TapFile::End(State state, std::string why) {
  Log(LogComponent::kHttp, state == State::kFailed ? LogLevel::kError : LogLevel::kInfo, "tap: ", options_.path, ": ",
      NameOf(state), why.empty() ? "" : ": ", why, "; ", written(), " exchanges");
  const std::lock_guard lock(mutex_);
  why_ = std::move(why);
  state_.store(state, std::memory_order_relaxed);
  dropped_.fetch_add(queue_.size(), std::memory_order_relaxed);
  queue_.clear();
}

std::string TapFile::why() const {
  const std::lock_guard lock(mutex_);
  return why_;
}

}  // namespace egret
