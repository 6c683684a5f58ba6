"""Where the access log goes and what it costs when it cannot: formats, full disks, stuck pipes (rows R09, R10, O12), and
that it agrees with clients and metrics when much goes wrong at once (O01)."""
import collections
import ctypes
import json
import os
import socket
import subprocess
import tempfile
import threading

from harness import HOSTS, SANITIZED, ProxyCase, allow, deny
from netns import NetnsCase, tool
from origins import echo
from raw_client import RawClient
from waiting import SECONDS, until

CLONE_NEWNS = 0x20000


def whole_lines(path):
    with open(path, "rb") as f:
        text = f.read()
    return text[:text.rfind(b"\n") + 1].splitlines()


class Formats(ProxyCase):
    def test_sinks_of_several_formats_at_once_tell_the_same(self):
        folder = tempfile.mkdtemp(dir=os.environ["TEST_TMPDIR"])
        paths = {name: os.path.join(folder, name) for name in ("json", "json2", "text", "default")}
        custom = '%UNIQUE_ID% %REQ(:METHOD)% %RESPONSE_CODE% %RULE% %RESPONSE_FLAGS% "%REQ(USER-AGENT)%"'
        self.start(access_log=[
            {"file": {"path": paths["json"]}}, {"file": {"path": paths["json2"]}, "format": "JSON"},
            {"file": {"path": paths["text"]}, "format": "TEXT", "text_format": custom},
            {"file": {"path": paths["default"]}, "format": "TEXT"}])
        origin = self.origin()
        self.assert_ok(self.client().get(self.url(origin), "User-Agent: a\"b\tc"))
        self.client().get("http://denied.test/")
        tunnel = self.tunnel(self.origin(echo))
        tunnel.close()
        until(lambda: os.path.exists(paths["default"]) and len(whole_lines(paths["default"])) == 3, "three lines of text")
        self.egret.stop()
        told = [json.loads(line) for line in whole_lines(paths["json"])]
        self.assertEqual(whole_lines(paths["json"]), whole_lines(paths["json2"]))
        ended = {line["request_id"]: line for line in told if line["event"] == "end"}
        lines = {line.split(b" ")[0].decode(): line.decode() for line in whole_lines(paths["text"])}
        self.assertEqual(ended.keys(), lines.keys())
        texts = {line["target"].split(":")[0] + line["method"]: lines[id].split(" ", 1)[1] for id, line in ended.items()}
        self.assertEqual(texts["origin.testGET"], 'GET 200 local - "a\\"b\\x09c"')
        self.assertEqual(texts["denied.testGET"], 'GET 403 closed UAEX "-"')
        self.assertTrue(texts["origin.testCONNECT"].startswith("CONNECT 200 local "), texts)
        default = whole_lines(paths["default"])
        self.assertTrue(any(b'"GET / HTTP/1.1" 403 UAEX ' in line and line.endswith(b"policy_denied deny web/closed")
                            for line in default), default)

    def test_X28_an_unknown_operator_is_told_with_the_nearest(self):
        for text, words in {"%RESPONSE_CODES%": ("RESPONSE_CODES", "RESPONSE_CODE?"), "%REQ(COOKIE)%": ("COOKIE",),
                            "%PROTOCOL": ("%%",)}.items():
            path = os.path.join(tempfile.mkdtemp(dir=os.environ["TEST_TMPDIR"]), "egret.yaml")
            with open(path, "w") as f:
                json.dump({"access_log": [{"file": {"path": "/dev/stdout"}, "format": "TEXT", "text_format": text}],
                           "listeners": [{"name": "a", "address": "127.0.0.1:0", "filters": [{"http_connection": {
                               "filters": [{"egress_policy": {"policy": "w"}}, {"forward_router": {}}]}}]}],
                           "policies": [{"name": "w", "rules": [{"name": "r", "action": "ALLOW"}]}]}, f)
            run = subprocess.run([os.environ["EGRET"], "--config", path, "--mode", "validate"], text=True,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS)
            self.assertEqual(run.returncode, 1, run.stdout)
            for word in words + ("access_log[0].text_format",):
                self.assertIn(word, run.stdout)


class Stuck(ProxyCase):
    def burst(self, count, agent):
        """So many denied requests, over few connections; each must be answered."""
        def load(part):
            client = RawClient(self.egret.address)
            for _ in range(part):
                self.answered[client.get("http://denied.test/", "User-Agent: " + agent).status] += 1
            client.close()
        self.answered = collections.Counter()
        threads = [threading.Thread(target=load, args=(count // 4,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(self.answered, {403: count})

    def dropped(self):
        return int(self.egret.metric("egret_access_log_dropped_total"))

    def test_R10_a_pipe_that_nobody_reads_drops_lines_and_holds_up_nothing(self):
        pipe = os.path.join(tempfile.mkdtemp(dir=os.environ["TEST_TMPDIR"]), "pipe")
        os.mkfifo(pipe)
        reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        self.start(access_log=[{"file": {"path": pipe}}])
        before = self.egret.resident_kib()
        count, got, ended = 800, [], threading.Event()
        self.burst(count, "x" * 40000)
        self.assertGreater(self.dropped(), 0)
        if not SANITIZED:
            self.assertLess(self.egret.resident_kib() - before, 120 << 10)  # the queue's 16 MiB, and what carries it

        def read():
            while True:
                try:
                    data = os.read(reader, 1 << 20)
                except BlockingIOError:
                    if ended.wait(0.005):
                        return
                    continue
                if not data:
                    return
                got.append(data)
        thread = threading.Thread(target=read)
        thread.start()
        try:
            until(lambda: b"".join(got).count(b"\n") + self.dropped() == count,
                  lambda: "%d lines: %d read, %d dropped" % (count, b"".join(got).count(b"\n"), self.dropped()), SECONDS * 2)
        finally:
            ended.set()
            thread.join()
        for line in b"".join(got).splitlines():
            json.loads(line)

    def test_R10_it_ends_in_time_with_a_pipe_that_nobody_reads(self):
        pipe = os.path.join(tempfile.mkdtemp(dir=os.environ["TEST_TMPDIR"]), "pipe")
        os.mkfifo(pipe)
        reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        self.start(access_log=[{"file": {"path": pipe}}])
        self.burst(40, "x" * 40000)
        self.egret.terminate()
        self.assertEqual(self.egret.wait(), 0)


class FullDisk(NetnsCase, Stuck):
    test_R10_a_pipe_that_nobody_reads_drops_lines_and_holds_up_nothing = None
    test_R10_it_ends_in_time_with_a_pipe_that_nobody_reads = None

    def test_R09_a_full_disk_drops_lines_and_counts_each(self):
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(CLONE_NEWNS) != 0:
            self.skipTest("no mount namespace can be made here: " + os.strerror(ctypes.get_errno()))
        disk = tempfile.mkdtemp(dir=os.environ["TEST_TMPDIR"])
        try:
            tool("mount", "-t tmpfs -o size=1m none " + disk)
        except AssertionError as e:
            self.skipTest("no file system can be mounted here: %s" % e)
        path = os.path.join(disk, "access.log")
        self.start(access_log=[{"file": {"path": path}}])
        count = 1600
        self.burst(count, "x" * 1000)
        until(lambda: len(whole_lines(path)) + self.dropped() >= count - 1, "all lines to be written or counted")
        self.assertGreater(self.dropped(), 0)
        for line in whole_lines(path):
            json.loads(line)
        held = len(whole_lines(path))
        with open(path, "wb"):  # room again; what was cut is ended first
            pass
        self.assertEqual(self.client().get("http://denied.test/again").status, 403)
        until(lambda: any(b'"/again"' in line for line in whole_lines(path)), "the line after there was room again")
        self.assertEqual(json.loads(whole_lines(path)[-1])["path"], "/again")
        self.assertIn(held + self.dropped(), (count - 1, count))  # a line that was cut is in neither


class Truth(ProxyCase):
    def test_O01_clients_log_and_metrics_agree_on_thousands_of_mixed_requests(self):
        self.start(deny(), allow(), hosts=HOSTS)

        def interim(connection):  # the head has arrived: now the client may break off
            connection.read_head()
            connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            connection.wait_end()
        web, tunnels, slow = self.origin(), self.origin(echo), self.origin(interim)
        with socket.create_server(("127.0.0.1", 0)) as taken:
            closed_port = taken.getsockname()[1]
        seen, lock = collections.Counter(), threading.Lock()

        def plain(client, url, outcome):
            status = client.get(url).status
            return "%s %d" % (outcome, status)

        def abort(_client):
            client = RawClient(self.egret.address)
            client.send(b"POST %s HTTP/1.1\r\nHost: origin.test:%d\r\nContent-Length: 10\r\n"
                        b"Expect: 100-continue\r\n\r\n" % (self.url(slow).encode(), slow.port))
            client.reader.until(b"100 Continue\r\n\r\n")
            client.reset()
            return "aborted 0"

        def tunnel(_client):
            client = RawClient(self.egret.address)
            status = client.connect("origin.test:%d" % tunnels.port).status
            client.send(b"\0ping")
            client.reader.exactly(5)
            client.fin()
            client.reader.to_end()
            client.close()
            return "tunnel %d" % status
        kinds = [lambda c: plain(c, self.url(web), "ok"), lambda c: plain(c, "http://denied.test/", "denied"),
                 lambda c: plain(c, self.url(web, "/x"), "ok"), lambda c: plain(c, "http://denied.test/", "denied"),
                 lambda c: plain(c, "http://origin.test:%d/" % closed_port, "refused"), abort, tunnel,
                 lambda c: plain(c, self.url(web, "/y"), "ok")]

        def load(worker):
            client = RawClient(self.egret.address)
            for n in range(500):
                outcome = kinds[(worker + n) % len(kinds)](client)
                with lock:
                    seen[outcome] += 1
            client.close()
        threads = [threading.Thread(target=load, args=(n,)) for n in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sum(seen.values()), 3000, seen)
        lines = self.egret.log_lines(3000)
        self.assertEqual(len(lines), len({line["request_id"] for line in lines}))

        def outcome(line):
            detail = line.get("detail")
            name = {"client_gone": "aborted", "policy_denied": "denied", "connection_refused": "refused"}.get(detail, "ok")
            return "%s %d" % ("tunnel" if line["kind"] == "tunnel" else name, line["status"])
        self.assertEqual(collections.Counter(map(outcome, lines)), seen)
        self.assertEqual(len(web.requests), seen["ok 200"])
        total = self.egret.metric
        self.assertEqual(total("egret_requests_total"), 3000)
        self.assertEqual(total("egret_tunnels_total"), seen["tunnel 200"])
        for status_class, names in {"2xx": ["ok 200"], "4xx": ["denied 403"], "5xx": ["refused 502"],
                                    "none": ["aborted 0"]}.items():
            self.assertEqual(total("egret_responses_total", **{"class": status_class}), sum(seen[n] for n in names))
        for detail, name in {"client_gone": "aborted 0", "policy_denied": "denied 403",
                             "connection_refused": "refused 502"}.items():
            self.assertEqual(total("egret_failures_total", detail=detail), seen[name])
        self.assertEqual(total("egret_policy_decisions_total", rule="closed"), seen["denied 403"])
        for name in ("received", "sent"):
            self.assertEqual(total("egret_client_%s_bytes_total" % name), sum(line[name + "_bytes"] for line in lines))
        self.assertEqual(total("egret_access_log_dropped_total"), 0)
