#include "source/run/warden.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <optional>
#include <utility>

#include "source/base/strings.h"
#include "source/run/environment.h"
#include "source/run/exit_status.h"
#include "source/run/mounts.h"
#include "source/run/privileges.h"
#include "source/run/room.h"

namespace egret {
namespace {

[[noreturn]] void Fail(const Channel& supervisor, int status, std::string_view why) {
  supervisor.Send(Message::Kind::kProblem, why);
  _exit(status);
}

// Nobody is left to serve: nobody is left.
Message Await(const Channel& supervisor, Message::Kind kind) {
  std::optional<Message> message = supervisor.Receive();
  if (!message || message->kind != kind) _exit(kExitOwnFailure);
  return std::move(*message);
}

void HandOut(const Room& room, const Channel& supervisor) {
  std::string names;
  std::vector<int> fds;
  for (const Door& door : room.doors) {
    Append(names, fds.empty() ? "" : " ", door.name);
    fds.push_back(door.fd.get());
  }
  supervisor.Send(Message::Kind::kDoors, Cat(names, "\n", room.lacks), fds);
}

// Its end is told by the channel's too; this one comes whatever the warden is busy with.
void EndWithSupervisor() { prctl(PR_SET_PDEATHSIG, SIGKILL); }

std::vector<std::string> Inherited() {
  std::vector<std::string> out;
  for (char** one = environ; *one != nullptr; ++one) out.emplace_back(*one);
  return out;
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  out.reserve(texts.size() + 1);
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

// Only ever returns where the command cannot be started, with errno.
int Execute(std::vector<std::string> command, std::vector<std::string> environment, const sigset_t& mask) {
  std::vector<char*> arguments = Pointers(command), variables = Pointers(environment);
  CloseNetworkSockets();
  if (!DropPrivileges()) return errno;
  sigprocmask(SIG_SETMASK, &mask, nullptr);
  execvpe(arguments.front(), arguments.data(), variables.data());
  return errno;
}

// The command's first process; told what went wrong where it was not started.
struct Started {
  pid_t pid = -1;
  int error = 0;
};

Started Start(const WardenOrders& orders, std::vector<std::string> environment, const sigset_t& mask) {
  std::array<int, 2> told;
  if (pipe2(told.data(), O_CLOEXEC) != 0) return {.error = errno};
  Started started{.pid = fork()};
  if (started.pid == 0) {
    const int error = Execute(orders.command, std::move(environment), mask);
    (void)!write(told[1], &error, sizeof error);
    _exit(kExitNotFound);
  }
  if (started.pid < 0) started.error = errno;
  close(told[1]);
  if (started.pid > 0 && read(told[0], &started.error, sizeof started.error) <= 0) started.error = 0;
  close(told[0]);
  return started;
}

// So that who reads what the command writes sees its end, though the warden lives.
void LetGoOfStreams() {
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0) return;
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(null, fd);
}

// Takes all that have ended; the status once the command is among them.
std::optional<int> Reap(pid_t command) {
  std::optional<int> ended;
  int status = 0;
  for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
    if (pid == command) ended = WIFSIGNALED(status) ? kExitSignal + WTERMSIG(status) : WEXITSTATUS(status);
  return ended;
}

[[noreturn]] void Watch(pid_t command, int children, const Channel& supervisor) {
  for (;;) {
    std::array<pollfd, 2> waits{{{children, POLLIN, 0}, {supervisor.fd(), POLLIN, 0}}};
    poll(waits.data(), waits.size(), -1);
    signalfd_siginfo info;
    if (waits[0].revents != 0) (void)!read(children, &info, sizeof info);
    if (const std::optional<int> status = Reap(command)) _exit(*status);
    if (waits[1].revents == 0) continue;
    const Message message = Await(supervisor, Message::Kind::kSignal);
    const int signal = ParseDecimal<uint8_t>(message.text).value_or(0);
    kill(command, signal);
    if (signal == SIGTERM || signal == SIGHUP) kill(command, SIGCONT);  // who is stopped would not hear of it
  }
}

}  // namespace

void RunWarden(const WardenOrders& orders, const Channel& supervisor) {
  sigset_t all, mask, child;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, &mask);
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  const int children = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
  Await(supervisor, Message::Kind::kMapped);
  EndWithSupervisor();
  const Result<Room, Problem> room = orders.fenced ? FurnishRoom() : OpenProxyDoor();
  if (!room) Fail(supervisor, kExitOwnFailure, room.error().text);
  HandOut(*room, supervisor);
  const Message go = Await(supervisor, Message::Kind::kGo);
  const bool trusts = go.fds.size() == 2;
  const TrustPaths trust = trusts ? HangTrust(go.fds[0].get(), go.fds[1].get()) : TrustPaths();
  if (trusts && trust.pem.empty())
    Fail(supervisor, kExitOwnFailure,
         "the policy looks into TLS, and here is no file of root certificates whose place could be taken; install "
         "ca-certificates");
  const Started command = Start(orders, EnvironmentOf(Inherited(), room->proxy, trust), mask);
  if (command.error != 0)
    Fail(supervisor, command.error == ENOENT ? kExitNotFound : kExitCannotExecute,
         Cat(orders.command.front(), ": ", std::strerror(command.error)));
  LetGoOfStreams();
  Watch(command.pid, children, supervisor);
}

}  // namespace egret
