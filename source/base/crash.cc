#include "source/base/crash.h"

#include <execinfo.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <string_view>

#include "source/base/sanitizer.h"

namespace egret {
namespace {

struct Name {
  int number;
  std::string_view text;
};
constexpr Name kSignals[] = {
    {SIGSEGV, "egret: fatal signal 11 (SIGSEGV)\n"}, {SIGBUS, "egret: fatal signal 7 (SIGBUS)\n"},
    {SIGILL, "egret: fatal signal 4 (SIGILL)\n"},    {SIGFPE, "egret: fatal signal 8 (SIGFPE)\n"},
    {SIGABRT, "egret: fatal signal 6 (SIGABRT)\n"},
};
static_assert(SIGSEGV == 11 && SIGBUS == 7 && SIGILL == 4 && SIGFPE == 8 && SIGABRT == 6);

// Only what a signal handler may do: no memory is asked for, nothing is formatted.
[[maybe_unused]] void Tell(int number) {
  for (const Name& name : kSignals)
    if (name.number == number) (void)!write(STDERR_FILENO, name.text.data(), name.text.size());
  std::array<void*, 64> frames;
  backtrace_symbols_fd(frames.data(), backtrace(frames.data(), frames.size()), STDERR_FILENO);
  raise(number);  // SA_RESETHAND: now as it would have been
}

}  // namespace

void TellOfCrashes() {
#if !defined(EGRET_SANITIZED)
  void* frame;
  backtrace(&frame, 1);  // the first call loads a library, and no later one may
  struct sigaction action{};
  action.sa_handler = Tell;
  action.sa_flags = static_cast<int>(SA_RESETHAND) | SA_NODEFER;
  for (const Name& name : kSignals) sigaction(name.number, &action, nullptr);
#endif
}

}  // namespace egret
