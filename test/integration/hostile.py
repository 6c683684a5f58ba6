"""A program that tries to leave: hostile.py OUTSIDER ABSTRACT prints a line for each way that is open.

OUTSIDER: id of a process outside of the fence; ABSTRACT: name of an abstract Unix socket there."""
import ctypes
import os
import signal
import socket
import sys

outsider, abstract = int(sys.argv[1]), sys.argv[2]
libc = ctypes.CDLL(None, use_errno=True)
PTRACE_ATTACH, PTRACE_SEIZE, MNT_DETACH, MS_REMOUNT_BIND = 16, 0x4206, 2, 0x1020
NATIVE = {"x86_64": {"process_vm_readv": 310, "bpf": 321}, "aarch64": {"process_vm_readv": 270, "bpf": 280}}
CALLS = {"pidfd_open": 434, "pidfd_getfd": 438, "open_tree": 428, "io_uring_setup": 425, **NATIVE[os.uname().machine]}
FAMILIES = {socket.AF_UNIX, socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK}


def attempt(what, do):
    try:
        result = do()
    except OSError:
        return
    if result != -1:
        print(what, "is open")


def call(name, *arguments):
    return libc.syscall(CALLS[name], *arguments)


def sockets():
    for family in set(range(1, 46)) - FAMILIES:
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW):
            attempt("family %d" % family, lambda: socket.socket(family, kind))
    for family in (socket.AF_INET, socket.AF_INET6):
        for protocol in (socket.IPPROTO_ICMP, socket.IPPROTO_RAW):
            attempt("a raw socket", lambda: socket.socket(family, socket.SOCK_RAW, protocol))
    attempt("an abstract socket", lambda: socket.socket(socket.AF_UNIX).connect("\0" + abstract))


def processes():
    one = ctypes.create_string_buffer(64)
    part = (ctypes.c_void_p * 2)(ctypes.addressof(one), 64)
    for pid in (1, outsider):
        for name in ("root", "cwd"):
            attempt("/proc/%d/%s" % (pid, name), lambda: os.listdir("/proc/%d/%s/" % (pid, name)))
        for fd in range(32):
            attempt("descriptor %d of %d" % (fd, pid), lambda: os.readlink("/proc/%d/fd/%d" % (pid, fd)))
        for name in ("mem", "environ", "ns/net", "ns/mnt", "ns/user"):
            attempt("/proc/%d/%s" % (pid, name), lambda: os.open("/proc/%d/%s" % (pid, name), os.O_RDONLY))
        for request in (PTRACE_ATTACH, PTRACE_SEIZE):
            attempt("ptrace of %d" % pid, lambda: libc.ptrace(request, pid, 0, 0))
        attempt("memory of %d" % pid, lambda: call("process_vm_readv", pid, part, 1, part, 1, 0))
        there = call("pidfd_open", pid, 0)
        for fd in range(32):
            attempt("a descriptor of %d" % pid, lambda: call("pidfd_getfd", there, fd, 0))
    attempt("a signal to %d" % outsider, lambda: os.kill(outsider, 0))


def privileges():
    attempt("mounting", lambda: libc.mount(b"none", b"/mnt", b"tmpfs", 0, None))
    attempt("a tree of mounts", lambda: call("open_tree", -100, b"/", 1))
    for path in (b"/proc/sys", b"/etc/resolv.conf"):
        attempt("what covers %s" % path.decode(), lambda: libc.umount2(path, MNT_DETACH))
    attempt("the kernel's settings", lambda: libc.mount(None, b"/proc/sys", None, MS_REMOUNT_BIND, None))
    attempt("io_uring", lambda: call("io_uring_setup", 1, ctypes.create_string_buffer(120)))
    attempt("BPF", lambda: call("bpf", 0, ctypes.create_string_buffer(120), 120))


sockets()
processes()
privileges()
for number in (signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM, signal.SIGHUP):
    os.kill(1, number)  # is not heard
print("done")
