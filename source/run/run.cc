#include "source/run/run.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cstdio>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "source/base/crash.h"
#include "source/base/log.h"
#include "source/base/strings.h"
#include "source/run/configuration.h"
#include "source/run/exit_status.h"
#include "source/run/fence.h"
#include "source/run/options.h"
#include "source/run/supervisor.h"
#include "source/server/server.h"
#include "source/tls/key_memory.h"
#include "source/tls/record_memory.h"

namespace egret {
namespace {

void Say(std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  std::fprintf(stderr, "egret run: %.*s\n", static_cast<int>(text.size()), text.data());
}

int Fail(const Problem& problem) {
  Say(problem.text);
  return kExitOwnFailure;
}

// So that who reads what the command writes sees its end, and what it reads is its own.
void LetGoOfStreams() {
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO}) dup2(null, fd);
}

void PrepareProcess(bool verbose) {
  NameLog("egret run");
  LogLevels::SetAll(verbose ? LogLevel::kInfo : LogLevel::kError);
  TellOfCrashes();
  prctl(PR_SET_DUMPABLE, 0);  // from here on it has keys
  KeepRecordMemory();
  SetUpKeyMemory();
  LetGoOfStreams();
}

Result<HandedSockets, Problem> SocketsOf(Fence& fence) {
  Result<std::vector<OwnedFd>, Problem> opened = fence.Open();
  if (!opened) return opened.error();
  std::vector<NamedSocket> sockets;
  for (OwnedFd& fd : *opened) {
    Result<ListenSocket, std::string> socket = ListenSocket::Adopt(fd.Release());
    if (!socket) return Problem{socket.error()};
    sockets.push_back({std::string(kProxyListener), std::move(*socket)});
  }
  return HandedSockets(std::move(sockets));
}

// The exit status.
int Serve(const RunOptions& options, Fence& fence) {
  Result<Settings, Problem> settings = SettingsOf(options);
  if (!settings) return Fail(settings.error());
  Result<HandedSockets, Problem> sockets = SocketsOf(fence);
  if (!sockets) return Fail(sockets.error());
  PrepareProcess(options.verbose);
  Supervisor supervisor(fence, std::move(*sockets));
  if (!RunServer(std::move(*settings), supervisor)) return Fail({"the proxy cannot start"});
  const int status = fence.Close();
  if (const std::optional<Message> last = fence.warden().Receive()) Say(last->text);  // why there was no command
  return status;
}

}  // namespace

int RunCommand(std::span<char* const> arguments) {
  const Result<RunOptions, Problem> options = ParseRunOptions(arguments);
  if (!options) return Fail(options.error());
  if (options->help) return std::fputs(RunHelpText().c_str(), stdout) < 0 ? kExitOwnFailure : 0;
  Result<Fence, Problem> fence = Fence::Build({.command = options->command, .fenced = options->fenced});
  if (!fence) return Fail(fence.error());
  if (!options->fenced && !options->quiet)
    Say("NO FENCE: a program that does not look at the proxy variables goes out past the policy");
  return Serve(*options, *fence);
}

}  // namespace egret
