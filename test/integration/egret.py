"""One process of the binary under test: its config, its ready-file, its log, its metrics, its end."""
import copy
import json
import os
import re
import signal
import subprocess
import tempfile
import urllib.error
import urllib.request

from waiting import SECONDS, until

SEEN = ("--core-dumps", "on")  # the tests look into /proc, as whatever user they run
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def split_address(text):
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


class Egret:
    """Started and ready once constructed. `config` is the file as a dict; hosts {name: [addresses]} becomes its hosts
    file, and what is left out of admin and access_log is filled in. `says`: what /ready has to begin with, instead of
    the whole proxy being ready: for one whose listeners come later than its process, or never."""

    def __init__(self, config, hosts=None, arguments=(), says=None):
        self.folder = tempfile.mkdtemp(prefix="egret-", dir=os.environ.get("TEST_TMPDIR"))
        self.log_path = self.path("access.log")
        self.expected = []  # matches of one line each: checked again when all lines are out
        self.process = None
        self.arguments = [*arguments] if "--core-dumps" in arguments else [*arguments, *SEEN]
        self.asked_to_end = False
        self.awaited = says
        config = copy.deepcopy(config)
        config.setdefault("admin", {"address": "127.0.0.1:0"})
        config.setdefault("access_log", [{"file": {"path": self.log_path}, "format": "JSON"}])
        if hosts is not None:
            config.setdefault("resolver", {})["hosts_file"] = self.write("hosts", "".join(
                "%s %s\n" % (address, name) for name, addresses in hosts.items() for address in addresses))
        self.config_path = self.write("egret.yaml", json.dumps(config, indent=1))
        self._start()

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w") as f:
            f.write(text)
        return self.path(name)

    def _start(self):
        ready = self.path("ready.json")
        with open(self.path("stderr"), "wb") as err:
            self.process = subprocess.Popen(
                [os.environ["EGRET"], "--config", self.config_path, "--ready-file", ready, *self.arguments],
                stdin=subprocess.DEVNULL, stdout=err, stderr=err)
        if self.awaited is not None:
            return self._await_word()
        until(lambda: os.path.exists(ready), "the ready-file", alive=self.assert_running)
        with open(ready) as f:
            addresses = json.load(f)
        self.listeners = {name: split_address(text) for name, text in addresses["listeners"].items()}
        self.address = self.listeners.get("egress")
        self.admin = split_address(addresses["admin"])

    def _await_word(self):
        address = until(lambda: re.search(r"admin on (\S+)\n", self.stderr()), "the admin's address",
                        alive=self.assert_running)
        self.admin = split_address(address.group(1))
        until(lambda: self.ready().startswith(self.awaited),
              lambda: "/ready to say %r, not %r; stderr: %s" % (self.awaited, self.ready(), self.stderr()),
              alive=self.assert_running)
        self.listeners, self.address = {}, None

    @property
    def pid(self):
        return self.process.pid

    @property
    def url(self):
        return "http://%s:%d" % self.address

    def stderr(self):
        with open(self.path("stderr"), errors="replace") as f:
            return f.read()

    def assert_running(self):
        code = self.process.poll()
        if code is not None:
            raise AssertionError("egret ended with status %s; it said:\n%s" % (code, self.stderr()))

    # --- What it tells.

    def all_log_lines(self):
        """Every whole line so far. A line that is not one JSON object is a failure."""
        if not os.path.exists(self.log_path):
            return []
        with open(self.log_path, "rb") as f:
            text = f.read()
        return [json.loads(line) for line in text[:text.rfind(b"\n") + 1].splitlines()]

    def log_lines(self, count=1, **fields):
        """Waits until `count` lines have all these values (event "end" unless told otherwise); gives them."""
        fields.setdefault("event", "end")
        matching = lambda: [line for line in self.all_log_lines() if fields.items() <= line.items()]  # noqa: E731
        return until(lambda: len(matching()) >= count and matching(),
                     lambda: "%d log lines with %r; the log:\n%s" % (count, fields, self.log_text()),
                     alive=self.assert_running)

    def one_line(self, **fields):
        """The one log line with these values. That no second one follows is checked when the process has ended."""
        fields.setdefault("event", "end")
        lines = self.log_lines(1, **fields)
        self.expected.append(fields)
        return lines[0]

    def log_text(self):
        return "\n".join(json.dumps(line) for line in self.all_log_lines()[-40:])

    def get(self, path):
        """(status, text) of the admin's answer."""
        try:
            with DIRECT.open("http://%s:%d%s" % (*self.admin, path), timeout=SECONDS) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as e:
            return e.code, e.read().decode()

    def ready(self):
        """What /ready says; nothing where nobody answers yet."""
        try:
            return self.get("/ready")[1]
        except OSError:
            return ""

    def live_listeners(self):
        """{name: (host, port)} of those that are open now."""
        listed = json.loads(self.get("/listeners")[1])["listeners"]
        return {one["name"]: split_address(one["address"]) for one in listed}

    def metrics(self):
        """{series: value}; a series is written as Prometheus does: name{label="value",...}."""
        status, text = self.get("/stats/prometheus")
        if status != 200:
            raise AssertionError("/stats/prometheus: %d %s" % (status, text))
        return {m.group(1): float(m.group(2)) for m in re.finditer(r"^([a-zA-Z_:][^\n]*?) (\S+)$", text, re.M)}

    def metric(self, name, **labels):
        """The sum of the series with that name and labels."""
        wanted = ['%s="%s"' % item for item in labels.items()]
        return sum(value for series, value in self.metrics().items()
                   if series.split("{")[0] == name and all(w in series for w in wanted))

    def descriptors(self):
        return len(os.listdir("/proc/%d/fd" % self.pid))

    def resident_kib(self):
        with open("/proc/%d/status" % self.pid) as f:
            return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))

    # --- Its end.

    def signal(self, number):
        self.asked_to_end = self.asked_to_end or number in (signal.SIGTERM, signal.SIGINT)
        self.process.send_signal(number)

    def terminate(self):
        self.signal(signal.SIGTERM)

    def kill(self):
        """As a crash of the machine would: nothing is asserted of its end."""
        self.process.kill()
        self.process.wait()
        self.process = None

    def wait(self, seconds=SECONDS * 2):
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError("egret did not end within %g s; it said:\n%s" % (seconds, self.stderr())) from None

    def stop(self):
        """SIGTERM; a clean exit; and each line that was seen once was written once. Idempotent."""
        if self.process is None:
            return
        unasked = self.process.poll() is not None and not self.asked_to_end
        if self.process.poll() is None:
            self.terminate()
        code, self.process = self.wait(), None
        if code != 0 or unasked:
            raise AssertionError("egret ended%s with status %s; it said:\n%s"
                                 % (" unasked" if unasked else "", code, self.stderr()))
        lines = self.all_log_lines()
        for fields in self.expected:
            found = [line for line in lines if fields.items() <= line.items()]
            if len(found) != 1:
                raise AssertionError("%d log lines with %r instead of one: %r" % (len(found), fields, found))
