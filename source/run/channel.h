// What the supervisor and the warden tell each other: whole messages over a socket pair, descriptors with them. The end
// of one is the end of the messages to the other.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace egret {

class OwnedFd {
 public:
  OwnedFd() = default;
  explicit OwnedFd(int fd) : fd_(fd) {}
  ~OwnedFd();
  OwnedFd(OwnedFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  OwnedFd& operator=(OwnedFd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  int get() const { return fd_; }
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

struct Message {
  enum class Kind : char {
    // To the warden.
    kMapped = 'm',  // its users and groups are what they shall be
    kGo = 'g',  // start the command; with descriptors: of the roots that its clients are to believe, and those for Java
    kSignal = 's',  // text: the number of a signal for the command
    // To the supervisor.
    kDoors = 'd',    // with descriptors; text: their names, then what the room lacks on a line of its own
    kProblem = 'p',  // text: why there is no command; the warden's exit status says what kind of reason
  };
  Kind kind = Kind::kProblem;
  std::string text = {};
  std::vector<OwnedFd> fds = {};
};

class Channel {
 public:
  static constexpr size_t kMostText = 4096, kMostFds = 8;

  // Both ends, close-on-exec; nothing where the system has no descriptor left.
  static std::optional<std::pair<Channel, Channel>> Pair();

  explicit Channel(int fd) : fd_(fd) {}
  int fd() const { return fd_.get(); }
  // False: nobody is there any more.
  bool Send(Message::Kind kind, std::string_view text = {}, const std::vector<int>& fds = {}) const;
  // Waits. Nothing once the other end is gone.
  std::optional<Message> Receive() const;

 private:
  OwnedFd fd_;
};

}  // namespace egret
