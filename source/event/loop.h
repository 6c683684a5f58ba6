// One thread's event loop over epoll. Events, timers, posts and pipe writes only move waiters to the ready list;
// coroutines are resumed in one place, Drain(), and what becomes ready during a drain waits for the next turn. So there
// is no recursion, no stale event and no self-destruction to guard against.
#pragma once

#include <array>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "source/base/list.h"

namespace egret {

// Somebody who waits: hooked on a gate, in a timer slot or on the ready list; unhooks itself when it dies.
struct Waiter : ListNode {
  std::coroutine_handle<> handle;       // resumed by Drain(), unless ...
  void (*run)(Waiter& self) = nullptr;  // ... this is set: then it is called instead (an owner that reaps, say)
};

struct Timer : Waiter {
  uint64_t due_ms = 0;
};

// A condition one can wait for. Level-like: it stays open until somebody finds that it no longer holds. Must outlive
// those who wait on it (checked).
class Gate {
 public:
  explicit Gate(bool open) : open_(open) {}
  ~Gate();
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  bool open() const { return open_; }
  void Close() { open_ = false; }
  void Open();  // readies everyone who waits
  void Hook(Waiter& waiter) { waiters_.PushBack(waiter); }
  // Readies the first `most` of those who wait, in the order in which they came; the gate stays as it is.
  void Wake(size_t most);
  size_t CountWaiting();  // takes time for each

  static Gate& AlwaysOpen();
  static Gate& NeverOpen();

 private:
  ListNode waiters_;
  bool open_;
};

// What epoll tells of one descriptor; lives in whoever owns the descriptor.
struct FdWatch {
  Gate read{false};
  Gate write{false};
  Gate gone{false};       // EPOLLERR or EPOLLHUP: no byte can be delivered to the peer any more
  Gate peer_done{false};  // EPOLLRDHUP: the peer will send nothing more (FIN)
};

// Work handed to a loop from any thread. Outlives the loop; a post after the loop's end is dropped.
class Mailbox {
 public:
  ~Mailbox();
  Mailbox();
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  // Thread-safe. Runs on the loop's thread in one of its next turns. False once the loop has ended.
  bool Post(std::function<void()> work);

 private:
  friend class Loop;
  std::vector<std::function<void()>> Take();
  void Close();
  std::mutex mutex_;
  std::vector<std::function<void()>> posted_;
  bool closed_ = false;
  int event_fd_;
};

class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // The loop of this thread; null where there is none.
  static Loop* current() { return current_; }

  uint64_t now_ms() const { return now_ms_; }  // CLOCK_MONOTONIC, refreshed once a turn

  void Ready(Waiter& waiter) { ready_.PushBack(waiter); }
  void ReadyAll(ListNode& waiters) { ready_.TakeAll(waiters); }
  void Arm(Timer& timer, uint64_t after_ms);

  // Edge-triggered, both directions, once for the descriptor's life; closing it ends the watch. False: epoll refused
  // (errno).
  [[nodiscard]] bool Watch(int fd, FdWatch& watch);
  // Level-triggered, for a library's descriptors. `events` as of epoll; 0 removes, which always succeeds. False: epoll
  // refused (errno), for want of memory or of watches: what was watched before still is.
  [[nodiscard]] bool WatchLevel(int fd, uint32_t events, FdWatch& watch, bool known);

  const std::shared_ptr<Mailbox>& mailbox() const { return mailbox_; }

  void Run();
  void Stop() { stopped_ = true; }  // on the loop's own thread; others Post it
  bool stopped() const { return stopped_; }

  // One turn: waits at most `max_wait_ms` (-1: as long as it takes) for something to happen, then resumes what is
  // ready. True if anything was.
  bool Turn(int max_wait_ms);

  uint64_t resumptions() const { return resumptions_; }

  // For tests, so that they need not wait: moves this loop's clock on to where its next timer may be due, or by
  // `most_ms` where that comes first. False: none is armed.
  bool SkipToTimer(uint64_t most_ms = UINT64_MAX);

 private:
  static constexpr uint64_t kTickMs = 8, kSlots = 1024;
  struct Wheel {
    std::array<ListNode, kSlots> slots;
    std::array<uint64_t, kSlots / 64> occupied = {};  // a hint: a set bit may belong to an emptied slot
  };
  void Place(Timer& timer);
  int NextTimerMs();
  void Expire();
  void Cascade(uint64_t tick);
  bool Drain();
  void RunPosted();
  void RefreshClock();

  static thread_local Loop* current_;
  int epoll_;
  bool stopped_ = false;
  uint64_t now_ms_ = 0;
  uint64_t ahead_ms_ = 0;    // of the kernel's clock: what SkipToTimer() skipped
  uint64_t swept_tick_ = 0;  // every slot up to this tick has been looked at
  uint64_t armed_ = 0;       // timers ever armed since both wheels were last seen empty
  uint64_t resumptions_ = 0;
  ListNode ready_;
  Wheel near_, far_;  // 8 ms a slot for 8 s; 8 s a slot for 2 h (later ones go round again)
  FdWatch mail_watch_;
  std::shared_ptr<Mailbox> mailbox_;
};

}  // namespace egret
