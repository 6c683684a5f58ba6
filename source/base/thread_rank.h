// Which threads come first where there is less CPU time than work.
#pragma once

#include <ctime>

namespace egret {

// The calling thread carries traffic: what wakes it does so at once, though another thread is at work on its core. On
// kernels that let a thread ask for it (Linux 6.12); where they do not, they decide.
void WakeAtOnce();

// The calling thread, and those that it will start, come after the threads that carry traffic: beside one that would
// use a whole core they get about a tenth of it (nice is 10 higher), never nothing. Once a thread; more often is the
// same as once.
void ComeAfterWorkers();

// Around work of more than a fraction of a millisecond on a thread that comes after the workers: a worker that waits
// for its core has it within 0.5 ms. The kernel by itself may let it wait until its next tick, which is 4 ms away on
// most machines, and a hundred requests with it. One within another does nothing. Takes SIGURG; system calls that it
// interrupts go on (SA_RESTART), but for those that never do: none that waits for a given time (signal(7)) is in there.
class WorkInPieces {
 public:
  WorkInPieces();
  WorkInPieces(const WorkInPieces&) = delete;
  WorkInPieces& operator=(const WorkInPieces&) = delete;
  ~WorkInPieces();

 private:
  timer_t timer_ = nullptr;
  bool armed_ = false;
};

}  // namespace egret
