#include "source/run/run.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "source/base/crash.h"
#include "source/base/log.h"
#include "source/base/strings.h"
#include "source/run/configuration.h"
#include "source/run/environment.h"
#include "source/run/exit_status.h"
#include "source/run/fence.h"
#include "source/run/options.h"
#include "source/run/ready_policies.h"
#include "source/run/report.h"
#include "source/run/report_files.h"
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

class Stopwatch {
 public:
  uint64_t Ms() const {
    const auto passed = std::chrono::steady_clock::now() - start_;
    return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(passed).count());
  }

 private:
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// So that who reads what the command writes sees its end, and what it reads is its own.
void LetGoOfStreams() {
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0) return;
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO}) dup2(null, fd);
}

void PrepareProcess(bool core_dumps) {
  NameLog("egret run");
  LogLevels::SetAll(LogLevel::kError);
  if (!core_dumps) prctl(PR_SET_DUMPABLE, 0);  // from here on it has keys
  KeepRecordMemory();
  SetUpKeyMemory();
}

// What `text` is, as a file in memory alone.
Result<OwnedFd, Problem> MemoryFile(const std::string& text) {
  OwnedFd file(memfd_create("roots", MFD_CLOEXEC));
  if (file.get() < 0 || write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    return Problem{Cat("no file in memory: ", std::strerror(errno))};
  return file;
}

// None where clients keep the roots that they have.
Result<std::vector<OwnedFd>, Problem> TrustFiles(const RunConfiguration& configuration) {
  std::vector<OwnedFd> files;
  if (configuration.trust_pem.empty()) return files;
  for (const std::string* const text : {&configuration.trust_pem, &configuration.trust_java}) {
    Result<OwnedFd, Problem> file = MemoryFile(*text);
    if (!file) return file.error();
    files.push_back(std::move(*file));
  }
  return files;
}

std::vector<int> FdsOf(const std::vector<OwnedFd>& files) {
  std::vector<int> fds;
  fds.reserve(files.size());
  for (const OwnedFd& file : files) fds.push_back(file.get());
  return fds;
}

Result<Doors, Problem> DoorsOf(Room room) {
  Doors doors;
  for (Door& door : room.doors) {
    if (door.name == kDns4Door || door.name == kDns6Door) {
      doors.questions.push_back(std::move(door.fd));
      continue;
    }
    if (door.name == kDnsDoor) {
      doors.question_streams = std::move(door.fd);
      continue;
    }
    Result<ListenSocket, std::string> socket = ListenSocket::Adopt(door.fd.Release());
    if (!socket) return Problem{socket.error()};
    doors.listening.push_back({Cat("listener ", door.name), std::move(*socket)});
  }
  return doors;
}

ReportPaths PathsOf(const RunOptions& options) {
  const char* const page = std::getenv("GITHUB_STEP_SUMMARY");
  return {.log = options.log,
          .report = options.report,
          .learn = options.learn,
          .record = options.record,
          .record_key = options.record_key,
          .subjects = options.record_subjects,
          .step_summary = page == nullptr ? "" : page};
}

// Prints a ready policy.
int Show(std::string_view name) {
  for (const ReadyPolicy& ready : ReadyPolicies())
    if (Cat('@', ready.name) == name)
      return std::fwrite(ready.text.data(), 1, ready.text.size(), stdout) == ready.text.size() ? 0 : kExitOwnFailure;
  return Fail({Cat("--show ", name, ": no such ready policy; see egret run --help")});
}

// Until the command ends. False: the server did not start.
bool ServeCommand(Settings settings, bool core_dumps, Supervisor& supervisor) {
  PrepareProcess(core_dumps);
  return RunServer(std::move(settings), supervisor);
}

// Tells what happened; the exit status.
int Conclude(const RunOptions& options, const ReportFiles& files, const RunLog& log, const RunFacts& facts) {
  const RunSummary& summary = log.summary;
  if (!options.quiet)
    for (const std::string& line : LinesOf(summary, options.verbose)) Say(line);
  if (const std::optional<Problem> problem = files.Write(log, facts)) return Fail(*problem);
  const bool denied = summary.Times(Outcome::kRefused) > 0;
  return denied && options.fail_on_deny ? kExitDenied : facts.status;
}

// The exit status.
int Serve(const RunOptions& options, const ReportFiles& files, Fence& fence) {
  const Stopwatch watch;
  Result<RunConfiguration, Problem> configuration = ConfigurationOf(options);
  if (!configuration) return Fail(configuration.error());
  if (!options.fenced && !configuration->trust_pem.empty())
    return Fail({"--no-fence: the policy looks into TLS, and what clients are to believe is behind a fence alone"});
  Result<Room, Problem> room = fence.Open();
  if (!room) return Fail(room.error());
  if (!room->lacks.empty() && !options.quiet)
    Say(Cat("programs that do not look at the proxy variables reach nothing at all: ", room->lacks));
  Result<Doors, Problem> doors = DoorsOf(std::move(*room));
  if (!doors) return Fail(doors.error());
  ServeOn(doors->listening, configuration->settings.bootstrap);
  const Result<std::vector<OwnedFd>, Problem> trust = TrustFiles(*configuration);
  if (!trust) return Fail(trust.error());
  TellOfCrashes();
  LetGoOfStreams();
  Supervisor supervisor(fence, std::move(*doors), files.NewLog());
  if (supervisor.StartCommand(FdsOf(*trust)) &&
      !ServeCommand(std::move(configuration->settings), options.core_dumps, supervisor))
    return Fail({"the proxy cannot start"});
  RunFacts facts{.program = options.command.front(), .fenced = options.fenced, .duration_ms = watch.Ms()};
  facts.status = fence.Close();
  if (const std::optional<Message> last = fence.warden().Receive()) Say(last->text);  // why there was no command
  return Conclude(options, files, supervisor.log(), facts);
}

}  // namespace

int RunCommand(std::span<char* const> arguments) {
  const Result<RunOptions, Problem> options = ParseRunOptions(arguments);
  if (!options) return Fail(options.error());
  if (!options->show.empty()) return Show(options->show);
  if (options->help) return std::fputs(RunHelpText().c_str(), stdout) < 0 ? kExitOwnFailure : 0;
  const Result<ReportFiles, Problem> files = ReportFiles::Open(PathsOf(*options));
  if (!files) return Fail(files.error());
  Result<Fence, Problem> fence = Fence::Build({.command = options->command, .fenced = options->fenced});
  if (!fence) return Fail(fence.error());
  if (options->parent.empty() && !options->quiet && !CallersProxy().empty())
    Say("the proxy that your variables name is not used; --parent env goes out through it");
  if (!options->fenced) Say("NO FENCE: a program that does not look at the proxy variables goes out past the policy");
  return Serve(*options, *files, *fence);
}

}  // namespace egret
