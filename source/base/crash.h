// What is said when the process dies of a bug: which signal, and where. Addresses of code and nothing of the data,
// which may be anybody's secret.
#pragma once

namespace egret {

// From here on SIGSEGV, SIGBUS, SIGILL, SIGFPE and SIGABRT write a backtrace to standard error, then end the process as
// they would have. Once, before there are threads. Does nothing under a sanitizer, which has words of its own.
void TellOfCrashes();

}  // namespace egret
