"""The machine: which cores, what runs on them, what a process tree has used."""
import os
import platform
import re
import resource
import subprocess
import time


def cores():
    """(core of the proxy, core of origin and load)."""
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[-1], allowed[0]


def start(command, cores, **kwargs):
    """A process that never leaves `cores`, nor do its children, and may open as many files as the system lets it."""
    def prepare():
        os.sched_setaffinity(0, cores)
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        if NICE is not None:
            prefer()
    return subprocess.Popen(command, preexec_fn=prepare, **kwargs)


def move(pid, cores):
    """All threads of a process to other cores."""
    for thread in os.listdir("/proc/%d/task" % pid):
        os.sched_setaffinity(int(thread), cores)


def stand_back():
    """The other threads of this process, such as those of a control plane, take what the measured ones leave."""
    for thread in os.listdir("/proc/self/task"):
        if int(thread) != os.getpid():
            os.setpriority(os.PRIO_PROCESS, int(thread), 19)


def threads_ns(pid, names):
    """CPU time so far, in nanoseconds, of each thread whose name matches, in order of their numbers."""
    found = []
    for thread in sorted(os.listdir("/proc/%d/task" % pid), key=int):
        if re.match(names, _read("/proc/%d/task/%s/comm" % (pid, thread))):
            found.append(int(_read("/proc/%d/task/%s/schedstat" % (pid, thread)).split()[0]))
    return found


NICE = None  # the priority of what is started from now on; None: as it is


def prefer():
    """Where the scheduler groups by session, a priority counts within the session only and the group has its own."""
    os.setsid()
    os.setpriority(os.PRIO_PROCESS, 0, NICE)
    try:
        with open("/proc/self/autogroup", "w") as f:
            f.write(str(NICE))
    except OSError:  # no such grouping here
        pass


def _read(path):
    try:
        with open(path) as f:
            return f.read()
    except OSError:  # a process that has ended meanwhile
        return ""


def tree(pid):
    """The process and everything below it."""
    children = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            stat = _read("/proc/%s/stat" % name)
            if stat:
                children.setdefault(int(stat.rsplit(")", 1)[1].split()[1]), []).append(int(name))
    found, todo = [], [pid]
    while todo:
        found.append(todo.pop())
        todo += children.get(found[-1], [])
    return found


def cpu_ns(pids):
    """User and system time so far, in nanoseconds, of all threads, also of those that have ended."""
    total = 0
    for pid in pids:
        try:
            total += time.clock_gettime_ns((~pid << 3) | 2)  # the kernel's number of a process's CPU clock
        except OSError:  # it has ended meanwhile
            pass
    return total


def memory_kib(pids):
    """Resident memory, shared pages counted once each process."""
    total = 0
    for pid in pids:
        for line in _read("/proc/%d/status" % pid).splitlines():
            if line.startswith("VmRSS:"):
                total += int(line.split()[1])
    return total


class Group:
    """What a control group is charged for processes from the moment that they are put into it: resident memory, and
    what the kernel keeps for them (sockets, descriptors), which a container's limit counts as well."""

    def __init__(self, pids):
        version1 = "/sys/fs/cgroup/memory"
        root, usage = (version1, "memory.usage_in_bytes") if os.path.isdir(version1) else ("/sys/fs/cgroup", "memory.current")
        self.folder = os.path.join(root, "egret-bench-%d" % os.getpid())
        self.usage = os.path.join(self.folder, usage)
        try:
            os.mkdir(self.folder)
            for pid in pids:
                with open(os.path.join(self.folder, "cgroup.procs"), "w") as f:
                    f.write(str(pid))
        except OSError:  # nobody lets us
            self.usage = None

    def kib(self):
        """None: no group could be made."""
        return int(_read(self.usage)) / 1024 if self.usage and _read(self.usage) else None

    def remove(self):
        """Once its processes have ended."""
        try:
            os.rmdir(self.folder)
        except OSError:
            pass


def core_busy_seconds(core):
    """What everybody together has used of this core."""
    for line in _read("/proc/stat").splitlines():
        if line.startswith("cpu%d " % core):
            user, nice, system, idle, iowait, irq, softirq, steal = map(int, line.split()[1:9])
            return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")
    return 0.0


def output(*command):
    try:
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout
    except OSError:
        return ""


def first_line(*command):
    return (output(*command).splitlines() or [""])[0]


def describe():
    cpuinfo = _read("/proc/cpuinfo").splitlines()
    models = [line.split(":", 1)[1].strip() for line in cpuinfo if line.startswith("model name")]
    proxy, others = cores()
    return {
        "cpu": models[0] if models else platform.machine(),
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "proxy_core": proxy,
        "origin_and_load_core": others,
        "load_average": round(os.getloadavg()[0], 2),
        "origin": first_line("nginx", "-v").replace("nginx version: ", ""),
        "commit": first_line("git", "rev-parse", "--short", "HEAD"),
    }
