#include "source/run/fence.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "source/base/strings.h"
#include "source/run/exit_status.h"
#include "source/run/id_maps.h"
#include "source/run/obstacle.h"

namespace egret {
namespace {

constexpr unsigned long kNamespaces = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET;

// As fork(), into namespaces. `pidfd` is set in the parent.
pid_t Fork(unsigned long namespaces, int& pidfd) {
  return static_cast<pid_t>(syscall(SYS_clone, namespaces | CLONE_PIDFD | SIGCHLD, nullptr, &pidfd, nullptr, nullptr));
}

}  // namespace

Result<Fence, Problem> Fence::Build(const WardenOrders& orders) {
  std::optional<std::pair<Channel, Channel>> ends = Channel::Pair();
  if (!ends) return Problem{std::strerror(errno)};
  int pidfd = -1;
  const pid_t pid = Fork(orders.fenced ? kNamespaces : 0, pidfd);
  if (pid == 0) {
    {
      const Channel closed = std::move(ends->first);
    }
    RunWarden(orders, ends->second);
  }
  if (pid < 0) return Problem{orders.fenced ? Cat("no fence: ", WhyNoFence(errno)) : std::strerror(errno)};
  Fence fence(std::move(ends->first), OwnedFd(pidfd));
  if (orders.fenced && !MapIds(pid)) return Problem{Cat("no users behind the fence: ", WhyNoFence(errno))};
  fence.warden_.Send(Message::Kind::kMapped);
  return fence;
}

Result<Room, Problem> Fence::Open() {
  std::optional<Message> message = warden_.Receive();
  if (!message) return Problem{"what makes the fence ready has ended"};
  if (message->kind != Message::Kind::kDoors) return Problem{message->text};
  std::string_view text = message->text;
  std::string_view names = SplitFirst(text, '\n');
  Room room{.proxy = {}, .doors = {}, .lacks = std::string(text)};
  for (OwnedFd& fd : message->fds) room.doors.push_back({std::string(SplitFirst(names, ' ')), std::move(fd)});
  return room;
}

int Fence::Close() {
  siginfo_t info{};
  while (waitid(P_PIDFD, static_cast<id_t>(pidfd_.get()), &info, WEXITED) != 0)
    if (errno != EINTR) return kExitOwnFailure;
  return info.si_code == CLD_EXITED ? info.si_status : kExitSignal + info.si_status;
}

}  // namespace egret
