"""A soak: well-behaved clients and such as break off, all at once, for as long as one likes, against the real binary with
policy, access log and metrics. Every operation of a well-behaved client must succeed or be refused as it has to; at the end
everything must have been let go, and log, metrics and clients must tell the same. tools/bench/soak runs it for minutes,
soak_test.py for seconds."""
import collections
import json
import os
import random
import re
import signal
import shutil
import statistics
import tempfile
import threading
import time

import soak_h2
import soak_scenarios
from chaos import Client as ChaosClient
from chaos import unreliable, unreliable_echo
from egret import Egret
from origins import PassingOrigin
from waiting import until

QUIET_SECONDS = 60  # generous, as in waiting.py: pools let go after two, descriptors at once
MOST_PIPES = soak_scenarios.WORKERS * 2 * 16  # PipeLoan::kMostPerThread
STRICT = soak_scenarios.STRICT + soak_h2.STRICT
BREAKING_OFF = soak_scenarios.BREAKING_OFF + soak_h2.BREAKING_OFF
GAUGES = ("egret_client_connections_active", "egret_requests_active", "egret_tunnels_active", "egret_upstream_pool_connections")


class LogTally:
    """Follows the access log, counts its lines and throws them away, by what an operator's rotation does: rename, SIGUSR1."""

    def __init__(self, egret, rotate_bytes):
        self.egret, self.rotate_bytes = egret, rotate_bytes
        self.requests, self.tunnels = collections.Counter(), collections.Counter()  # (host, status), host
        self.details = collections.Counter()
        self.lines = self.rotations = 0
        self.wrong = []
        self.at, self.stopping = 0, False
        self.thread = threading.Thread(target=self._follow, daemon=True)
        self.thread.start()

    def _follow(self):
        while not self.stopping:
            time.sleep(0.2)
            if self._take(self.egret.log_path) > self.rotate_bytes:
                self._rotate()

    def _rotate(self):
        old = self.egret.log_path + ".old"
        os.rename(self.egret.log_path, old)
        self.egret.signal(signal.SIGUSR1)
        until(lambda: os.path.exists(self.egret.log_path), "the log to be opened anew")
        self._take(old)
        os.unlink(old)
        self.at = 0
        self.rotations += 1

    def _take(self, path):
        """Counts the whole lines that are new in it; gives how far that is into the file."""
        with open(path, "rb") as f:
            f.seek(self.at)
            text = f.read()
        end = text.rfind(b"\n") + 1
        self.at += end
        for line in text[:end].splitlines():
            self._count(line)
        return self.at

    def _count(self, text):
        try:
            line = json.loads(text)
        except ValueError:
            self.wrong.append(text[:200])
            return
        if line["event"] != "end":
            return
        self.lines += 1
        host, status = host_of(line.get("target", "")), line.get("status")
        if line["kind"] == "tunnel" and status == 200:
            self.tunnels[host] += 1
        else:
            self.requests[host, status] += 1
        if "detail" in line:
            self.details[line["detail"]] += 1

    def finish(self):
        """When the process has ended, and all is written."""
        self.stopping = True
        self.thread.join()
        self._take(self.egret.log_path)


class Soak:
    """Set up and running once constructed: run() works until the time is over, finish() gives what was wrong."""

    def __init__(self, seconds, each=2, chaotic=2, every=2.0, rotate_bytes=32 << 20):
        self.seconds, self.every = seconds, every
        self.folder = tempfile.mkdtemp(prefix="soak-", dir=os.environ.get("TEST_TMPDIR"))
        secure = soak_h2.Secure(self.folder)
        hosts = {**soak_scenarios.hosts(), **{name + ".test": ["127.0.0.1"] for name in soak_h2.NAMES}}
        self.egret = Egret(secure.configure(soak_scenarios.config()), hosts)
        secure.address = self.egret.listeners["secure"]
        self.world = soak_scenarios.World(self.egret.address, secure, soak_h2.origins())
        self.chaos = [PassingOrigin(unreliable), PassingOrigin(unreliable_echo)]
        self.before = self.sample()
        self.log = LogTally(self.egret, rotate_bytes)
        self.done, self.failures, self.samples = collections.Counter(), [], []
        self.began = time.monotonic()
        self.deadline = self.began + seconds
        turns = [(self._strict, scenario) for scenario in STRICT] * each
        turns += [(self._breaking_off, scenario) for scenario in BREAKING_OFF] * each
        turns += [(self._chaotic, None)] * chaotic
        self.threads = [threading.Thread(target=turn, args=(scenario, random.Random(seed)), daemon=True)
                        for seed, (turn, scenario) in enumerate(turns)]

    # --- Clients.

    def _strict(self, scenario, chance):
        while time.monotonic() < self.deadline:
            try:
                scenario(self.world, chance)
            except (OSError, AssertionError, soak_scenarios.Unexpected) as e:
                self.failures.append("%s: %r" % (scenario.__name__, e))
                if len(self.failures) > 100:
                    return
            self.done[scenario.__name__] += 1

    def _breaking_off(self, scenario, chance):
        while time.monotonic() < self.deadline:
            try:
                scenario(self.world, chance)
            except OSError:  # of two that end at once, the other was first
                pass
            self.done[scenario.__name__] += 1
            time.sleep(0.002)

    def _chaotic(self, _, chance):
        client = ChaosClient(chance.random(), self.egret.address, *self.chaos, name=b"chaos.test")
        client.run(self.deadline)
        self.done["chaos"] += client.served

    # --- What is looked at while it runs.

    def sample(self):
        metrics = self.egret.metrics()
        with open("/proc/%d/status" % self.egret.pid) as f:
            status = dict(re.findall(r"^(\w+):\s+(\d+) kB", f.read(), re.M))
        descriptors, pipes = open_descriptors(self.egret.pid)
        return {"rss_kib": int(status["VmRSS"]), "heap_kib": int(status["RssAnon"]), "descriptors": descriptors,
                "pipes": pipes, "requests": metrics["egret_requests_total"],
                **{name[len("egret_"):]: metrics[name] for name in GAUGES}}

    def run(self, told=lambda sample: None):
        for thread in self.threads:
            thread.start()
        while time.monotonic() < self.deadline:
            self.egret.assert_running()
            self.samples.append({"second": round(time.monotonic() - self.began, 1), **self.sample()})
            told(self.samples[-1])
            time.sleep(min(self.every, max(0.0, self.deadline - time.monotonic())))
        for thread in self.threads:
            thread.join(QUIET_SECONDS)
            if thread.is_alive():
                self.failures.append("a client hangs")

    # --- What must hold at the end.

    def finish(self, expected=None, slack_kib=2048, memory=True):
        """[(what must hold, how it is, whether it does)]; ends the process. `expected`: how many requests for a (host,
        status) came from elsewhere."""
        quiet = self._wait_for_quiet()
        metrics = self.egret.metrics()
        verdicts = [("everything is let go", quiet["told"], quiet["reached"])]
        if memory:
            verdicts += self._memory(quiet["sample"]["rss_kib"], slack_kib)
        self.egret.assert_running()
        verdicts.append(("exit after SIGTERM", *self._end()))
        self.log.finish()
        verdicts.append(("no operation failed that had to succeed", "%d failed %s" % (
            len(self.failures), self.failures[:3] or ""), not self.failures))
        verdicts += self._told_the_same(metrics, expected or {})
        self.world.close()
        for origin in self.chaos:
            origin.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        return verdicts

    def _wait_for_quiet(self):
        """Descriptors as at the start, pipes within their bound; no connection, request, tunnel or pooled link."""
        names = ["descriptors"] + [name[len("egret_"):] for name in GAUGES]
        sample = {}

        def is_quiet():
            sample.update(self.sample())
            return sample["pipes"] <= MOST_PIPES and all(sample[name] <= self.before[name] for name in names)
        try:
            until(is_quiet, "quiet", QUIET_SECONDS)
            reached = True
        except AssertionError:
            reached = False
        return {"reached": reached, "sample": sample,
                "told": ", ".join("%s %d" % (name.replace("_", " "), sample[name]) for name in names)}

    def _memory(self, after, slack_kib):
        """The last fifth's median and what is left at the end, against the second fifth's."""
        fifth = max(1, len(self.samples) // 5)
        early, late = (statistics.median(s["rss_kib"] for s in part)
                       for part in (self.samples[fifth:2 * fifth] or self.samples, self.samples[-fifth:]))
        most = early * 1.05 + slack_kib
        return [("memory is flat", "%.1f MiB in the second fifth, %.1f in the last, %.1f at the end" % (
            early / 1024, late / 1024, after / 1024), max(late, after) <= most)]

    def _end(self):
        try:
            self.egret.stop()
            return "0", True
        except AssertionError as e:
            return str(e), False

    def _told_the_same(self, metrics, expected):
        log, world = self.log, self.world
        seen = world.requests + collections.Counter(expected)
        hosts = {host for host, _ in seen} - {""}
        logged = collections.Counter({key: n for key, n in log.requests.items() if key in seen or key[0] in hosts})
        tunnels = collections.Counter({host: n for host, n in log.tunnels.items() if host in world.tunnels})
        details = {d: int(n) for d, n in failures_by_detail(metrics).items() if n}
        return [
            ("each line of the log is one JSON object", "%d lines, %d wrong" % (log.lines, len(log.wrong)), not log.wrong),
            ("the log tells each request that clients saw", difference(seen, logged), seen == logged),
            ("and each tunnel", difference(world.tunnels, tunnels), tunnels == world.tunnels),
            ("metrics count the failures that the log tells", difference(details, log.details), details == dict(log.details)),
        ]


def host_of(target):
    """Of host:port, and of the whole URL that is told of a request that was refused unread."""
    return target.split("://")[-1].split("/")[0].rpartition(":")[0]


def open_descriptors(pid):
    """(how many, without pipes; pipes): each worker keeps some pipes for splice()."""
    kinds = []
    for name in os.listdir("/proc/%d/fd" % pid):
        try:
            kinds.append(os.readlink("/proc/%d/fd/%s" % (pid, name)).split(":")[0])
        except OSError:  # closed meanwhile
            pass
    return len(kinds) - kinds.count("pipe"), kinds.count("pipe")


def failures_by_detail(metrics):
    return {m.group(1): value for m, value in (
        (re.match(r'egret_failures_total\{detail="([^"]+)"\}', series), value) for series, value in metrics.items()) if m}


def difference(one, other):
    apart = {key: (one.get(key, 0), other.get(key, 0)) for key in set(one) | set(other)
             if one.get(key, 0) != other.get(key, 0)}
    return "%d in all%s" % (sum(one.values()), ", apart: %r" % apart if apart else "")
