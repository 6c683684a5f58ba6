// Asks a proxy's admin interface, on this machine. Blocks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "source/base/result.h"
#include "source/ctl/flags.h"

namespace egret {

inline constexpr std::string_view kDefaultAdmin = "127.0.0.1:9901";
inline constexpr Flag kAdminFlag = {.name = "--admin"};

// One request and its answer, read as it comes.
class AdminCall {
 public:
  // `where`: HOST:PORT of loopback, or unix:/PATH. The error says who does not answer, or that `where` is none.
  static Result<AdminCall, Problem> Make(std::string_view where, std::string_view method, std::string_view target,
                                         std::string_view body = {});
  AdminCall(AdminCall&& other) noexcept;
  AdminCall& operator=(AdminCall&&) = delete;
  ~AdminCall();

  int status() const { return status_; }
  // How long the answer is was not said: it may be one that follows something.
  bool goes_on() const { return !length_; }
  // The next line without its end, however long it takes to come; nothing: the answer is over.
  std::optional<std::string> NextLine();
  // All of it. The error: it was cut short.
  Result<std::string, Problem> Rest();

 private:
  AdminCall(std::string where, int fd) : where_(std::move(where)), fd_(fd) {}
  bool Fill();
  bool ReadHead();
  void Wait(int seconds) const;

  std::string where_;
  int fd_;
  int status_ = 0;
  std::optional<uint64_t> length_;
  std::string unread_;
};

// From here on Ctrl-C ends reading, and not the process: what was read can still be told.
void EndReadingAtInterrupt();
bool Interrupted();

// A GET or POST whose answer is no more than a page; another status than 200 is an error.
Result<std::string, Problem> AskAdmin(std::string_view where, std::string_view method, std::string_view target);

}  // namespace egret
