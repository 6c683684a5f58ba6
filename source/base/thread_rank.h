// Which threads come first where there is less CPU time than work.
#pragma once

namespace egret {

// The calling thread carries traffic: what wakes it does so at once, though another thread is at work on its core. On
// kernels that let a thread ask for it (Linux 6.12); where they do not, they decide.
void WakeAtOnce();

// The calling thread, and those that it will start, come after the threads that carry traffic: beside one that would
// use a whole core they get about a tenth of it (nice is 10 higher), never nothing. Once a thread; more often is the
// same as once.
void ComeAfterWorkers();

}  // namespace egret
