"""Measures subjects under workloads, in turn, round after round."""
import json
import os
import subprocess
import sys
import tempfile
import time

import machine

DISTURBED_PERCENT = 5  # of the proxy's core, used by others
PATIENT_SECONDS = 780  # no measurement is repeated after so long: a whole run is to take twenty minutes
WORKER_THREADS = r"worker-\d|wrk:worker_"  # what Egret and Envoy call them


class Before:
    """What had been used and done before a measurement, and what came on top."""

    def __init__(self, subject, core):
        self.subject, self.core = subject, core
        self.pids = machine.tree(subject.pid())
        self.counters, self.threads = subject.counters(), machine.threads_ns(subject.pid(), WORKER_THREADS)
        self.cpu, self.busy = machine.cpu_ns(self.pids), machine.core_busy_seconds(core)

    def since(self):
        pids = machine.tree(self.subject.pid())
        cpu = machine.cpu_ns(set(self.pids) | set(pids)) - self.cpu
        busy = machine.core_busy_seconds(self.core) - self.busy
        return {"cpu_ns": cpu, "busy": busy, "rss_kib": machine.memory_kib(pids), **self.of_workers()}

    def of_workers(self):
        """Each worker's part, in percent, where the subject has several and tells."""
        if self.subject.workers == 1:
            return {}
        after = machine.threads_ns(self.subject.pid(), WORKER_THREADS)
        shares = {"cpu_shares": percent([b - a for a, b in zip(self.threads, after)])}
        now = self.subject.counters()
        if now:
            shares["request_shares"] = percent([b - a for a, b in zip(self.counters["requests"], now["requests"])])
            shares["connection_shares"] = percent(self.counters["connections"])  # the client has ended since
        return shares


def percent(parts):
    return [100 * part / (sum(parts) or 1) for part in parts]


class Bench:
    def __init__(self, options, binaries, origin, folder):
        self.options, self.binaries, self.origin, self.folder = options, binaries, origin, folder
        self.proxy_core, self.other_core = machine.cores()
        self.group = None  # of the subject, where its memory is measured
        self.patient_until = time.monotonic() + PATIENT_SECONDS

    def measure(self, subject, workload):
        """The least disturbed of a few measurements, the first that is not disturbed at all."""
        if workload.is_idle or workload.workers > 1:
            return self.measure_once(subject, workload)
        tries = []
        while len(tries) <= self.options.patience:
            tries.append(self.measure_once(subject, workload))
            if tries[-1]["others_percent"] < DISTURBED_PERCENT or time.monotonic() > self.patient_until:
                break
        return min(tries, key=lambda figures: figures["others_percent"])

    def measure_once(self, subject, workload):
        """One subject, freshly started, under one workload. Where it has several workers, everybody shares the cores."""
        both = {self.proxy_core, self.other_core}
        alone = workload.workers == 1
        self.origin.move_to({self.other_core} if alone else both)
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            subject.start(folder, {self.proxy_core} if alone else both, self.origin, workload)
            try:
                return self.idle(subject, workload) if workload.is_idle else self.load(subject, workload)
            except RuntimeError as e:
                raise RuntimeError("%s; the proxy's own output ends with:\n%s" % (e, subject.process.output(500)))
            finally:
                subject.stop()
                if self.group:
                    self.group.remove()

    def client(self, subject, workload):
        """The load after its warm-up, waiting for a line."""
        by_path = isinstance(workload.asked, str)
        targets = self.origin.targets(workload)
        if workload.forwards:  # the limits know one origin only, and the others are to find the same
            targets = targets[:1]
        request = ["--path", workload.asked] if by_path else ["--answer-bytes", str(workload.asked)]
        if workload.http2_origin:  # Egret speaks HTTP/2 in clear to who speaks gRPC
            request += ["--content-type", "application/grpc"]
        if workload.https_origin:
            request += ["--scheme", "https"]
        if workload.names:
            request += ["--names", str(workload.names)]
        command = [os.path.join(self.binaries, "load"), "--workload", workload.load, "--proxy", subject.address(workload),
                   "--targets", ",".join(targets), *request, "--connections", str(workload.connections),
                   "--streams", str(workload.streams), *self.extent(workload)]
        cores = {self.other_core} if workload.workers == 1 else {self.proxy_core, self.other_core}
        client = machine.start(command, cores, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if client.stdout.readline() != "ready\n":
            client.wait()
            raise RuntimeError("the load did not get through its warm-up")
        return client

    def extent(self, workload):
        """How long to warm up and to measure."""
        warm_up = 0 if workload.is_idle or workload.operations else self.options.warm_up
        extent = {"--warm-up": warm_up, "--warm-up-operations": workload.warm_up_operations,
                  "--seconds": self.options.seconds, "--operations": workload.operations}
        return [word for option, value in extent.items() for word in (option, str(value))]

    def idle(self, subject, workload):
        """Every tunnel, or connection, has carried one small answer and stands open."""
        pids = machine.tree(subject.pid())
        before = machine.memory_kib(pids)
        self.group = machine.Group(pids)
        charged = self.group.kib()
        client = self.client(subject, workload)
        try:
            time.sleep(0.5)  # what a proxy frees after a moment of idleness is freed
            memory, charged_then = machine.memory_kib(machine.tree(subject.pid())), self.group.kib()
        finally:
            client.kill()
            client.wait()
        told = {"kib_per_tunnel": (memory - before) / workload.connections, "rss_kib": memory}
        if charged is not None:
            told["group_kib_per_tunnel"] = (charged_then - charged) / workload.connections
        return told

    def load(self, subject, workload):
        client = self.client(subject, workload)
        try:
            before = Before(subject, self.proxy_core)
            client.stdin.write("go\n")
            client.stdin.flush()
            line = client.stdout.readline()
            if not line:
                raise RuntimeError("the load broke off")
            used = before.since()
        finally:
            client.kill()
            client.wait()
        return figures(json.loads(line), workload, used)

    def run(self, chosen, chosen_workloads):
        """{workload: {subject: [figures of each round, None where it failed]}}"""
        turns = {w: [s for s in chosen if s.does(w)] for w in chosen_workloads}
        rounds = {w.name: {s.name: [] for s in turn} for w, turn in turns.items() if turn}
        for number in range(self.options.rounds):
            for workload, turn in turns.items():
                shift = number % max(1, len(turn))  # nobody is always first
                for subject in turn[shift:] + turn[:shift]:
                    progress("round %d of %d: %s, %s" % (number + 1, self.options.rounds, workload.name, subject.name))
                    try:
                        rounds[workload.name][subject.name].append(self.measure(subject, workload))
                    except RuntimeError as e:
                        progress("")
                        print("%s, %s: %s" % (workload.name, subject.name, e))
                        rounds[workload.name][subject.name].append(None)
        progress("")
        return rounds


def figures(result, workload, used):
    if not result["operations"]:
        raise RuntimeError("no operation succeeded, %d failed" % result["errors"])
    operations = result["operations"] * (workload.asked_bytes // 1024 if workload.is_bulk else 1)
    cpu, busy = used.pop("cpu_ns"), used.pop("busy")
    return {
        "cpu_ns_per_op": cpu / operations,
        "ops_per_s": operations / result["seconds"],
        "p50_us": result["p50_us"],
        "p99_us": result["p99_us"],
        "errors": result["errors"],
        "others_percent": max(0.0, 100 * (busy - cpu / 1e9) / result["seconds"]),
        **used,
    }


def progress(text):
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K" + text)
        sys.stderr.flush()
