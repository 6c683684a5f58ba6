// Calls that lead past a network namespace, or to the terminal of whoever watches: refused to the command and all that
// it executes (seccomp), whatever it is.
#pragma once

namespace egret {

// Of the calling process, for good; after no_new_privs. Refused are: typing into the controlling terminal (ioctl
// TIOCSTI and TIOCLINUX: CVE-2017-5226), sockets of families that are not of one network (vsock leads out of a virtual
// machine), io_uring, which makes sockets past such a filter, and the x32 ABI. False: the kernel refused (errno).
bool FilterSyscalls();

}  // namespace egret
