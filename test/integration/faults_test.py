"""When the machine fails: rows R02, R06, R07, R12, R13, R15, T20 and L04 of the catalogue. System calls that fail by
strace's hand, ports that run out, a process that stands still, a clock that jumps, a queue that overflows, a crash."""
import glob
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
import unittest

from harness import SANITIZED, ProxyCase, allow
from http_text import Reader
from netns import NetnsCase
from origins import OK, echo
from raw_client import RawClient
from waiting import SECONDS, until

CHAIN = [{"egress_policy": {"policy": "web"}}, {"connect_tunnel": {}}, {"forward_router": {}}]


class Injected(ProxyCase):
    """R02: strace makes system calls of the running process fail."""

    def setUp(self):
        if SANITIZED or shutil.which("strace") is None:
            self.skipTest("no strace, or a sanitizer that does not like to be traced")

    def inject(self, calls, error, when):
        """From here on, as long as the returned tracer lives. `when`: 1+2 is every second call, 1..3 the first three."""
        log = self.egret.path("strace")
        tracer = subprocess.Popen(["strace", "-f", "-p", str(self.egret.pid), "-o", log, "-e", "trace=" + calls, "-e",
                                   "inject=%s:error=%s:when=%s" % (calls, error, when)], stderr=subprocess.PIPE)
        said = b""
        while b"attached" not in said:  # one line for each thread; the last one may follow a moment later
            line = tracer.stderr.readline()
            if not line:
                tracer.wait()
                self.skipTest("strace may not trace here: " + said.decode().strip())
            said += line
        threads = len(os.listdir("/proc/%d/task" % self.egret.pid))

        def traced():
            states = []
            for status in glob.glob("/proc/%d/task/*/status" % self.egret.pid):
                with open(status) as f:
                    states.append("TracerPid:\t0\n" not in f.read())
            return len(states) == threads and all(states)
        until(traced, "every thread to be traced")
        self.addCleanup(self.end, tracer)
        return tracer

    def end(self, tracer):
        if tracer.poll() is None:
            tracer.send_signal(signal.SIGINT)
            tracer.wait(SECONDS)
            tracer.stderr.close()

    def injected(self):
        with open(self.egret.path("strace")) as f:
            return f.read().count("(INJECTED)")

    def assert_serves(self):
        self.assert_ok(self.client().get(self.url(self.origin())))
        tunnel = self.tunnel(self.origin(echo))
        tunnel.send(b"\0x")
        self.assertEqual(tunnel.reader.exactly(2), b"\0x")
        tunnel.close()

    def test_R02_connecting_fails_for_that_request_alone(self):
        self.start(workers=1)
        origin = self.origin()
        for calls, error, detail, status in (
                ("connect", "ENOBUFS", "connection_failed", 502), ("connect", "EADDRNOTAVAIL", "local_ports_exhausted", 503),
                ("connect", "ENETUNREACH", "destination_unreachable", 502), ("connect", "EPERM", "connection_prohibited", 502),
                ("socket", "EMFILE", "descriptors_exhausted", 503), ("socket", "ENFILE", "descriptors_exhausted", 503),
                ("socket", "ENOBUFS", "connection_failed", 502), ("socket", "ENOMEM", "connection_failed", 502)):
            with self.subTest(calls + " " + error):
                tracer = self.inject(calls, error, "1+2")
                for n in range(4):
                    client = self.client()
                    response = client.connect("origin.test:%d" % origin.port)
                    client.close()
                    line = self.egret.one_line(source=client.local)
                    expected = (status, detail) if n % 2 == 0 else (200, None)
                    self.assertEqual((response.status, line.get("detail")), expected, line)
                self.end(tracer)
                self.assertEqual(self.injected(), 2)
        self.assert_serves()

    def test_R02_accepting_rests_and_goes_on(self):
        self.start(workers=1)
        origin = self.origin()
        for error in ("EMFILE", "ENFILE", "ENOBUFS", "ENOMEM", "ECONNABORTED", "EPROTO", "ENETDOWN"):
            with self.subTest(error):
                tracer = self.inject("accept4", error, "1..3")
                for _ in range(4):
                    self.assert_ok(self.client().get(self.url(origin)))
                self.end(tracer)
                self.assertEqual(self.injected(), 3)
        self.assertGreaterEqual(self.egret.metric("egret_accept_pauses_total"), 4)
        self.assert_serves()

    def test_R02_what_cannot_be_watched_ends_and_nobody_waits_for_it(self):
        self.start(workers=1)
        origin = self.origin()
        for error in ("ENOMEM", "ENOSPC"):
            for when in ("1", "2", "3", "4", "1+3"):
                with self.subTest(error + " at " + when):
                    tracer = self.inject("epoll_ctl", error, when)
                    clients = [self.client() for _ in range(3)]
                    for client in clients:
                        client.send(b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % self.url(origin).encode())
                    for client in clients:  # an answer or an end, in time
                        response = client.read_response()
                        self.assertIn(response and response.status, (None, 200, 502, 503))
                        client.close()
                    self.end(tracer)
                    self.assertGreaterEqual(self.injected(), 1)
                    self.assert_serves()

    def test_R02_reading_and_writing_fail_for_that_connection_alone(self):
        self.start(workers=1)
        origin = self.origin()
        for calls in ("recvfrom", "sendto,sendmsg"):
            for error in ("ENOBUFS", "ENOMEM", "ECONNRESET", "EINTR"):
                with self.subTest(calls + " " + error):
                    tracer = self.inject(calls, error, "1..2")
                    for _ in range(3):
                        client = self.client()
                        client.send_what_goes(b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % self.url(origin).encode())
                        response = client.read_response()
                        self.assertIn(response and response.status, (None, 200, 502), error)
                        client.close()
                    self.end(tracer)
                    self.assertGreaterEqual(self.injected(), 1)
                    self.assert_serves()


class Churn(ProxyCase):
    THREADS = 4

    def spread(self, turn, seconds=4):
        """turn(client) again and again in each thread; how often."""
        done, failed = [0] * self.THREADS, []
        deadline = time.monotonic() + seconds

        def run(index):
            try:
                while time.monotonic() < deadline:
                    turn()
                    done[index] += 1
            except Exception as e:
                failed.append(e)
        threads = [threading.Thread(target=run, args=(n,)) for n in range(self.THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failed, [])
        return sum(done)

    def sockets(self, state):
        """How many TCP sockets have this state and lead to `self.dead`."""
        with open("/proc/net/tcp") as f:
            return sum(line.split()[3] == state and line.split()[2].endswith(":%04X" % self.dead) for line in f)

    def test_T20_tunnels_to_dead_ports_leave_nothing_behind(self):
        self.start()
        with socket.create_server(("127.0.0.1", 0)) as taken:
            self.dead = taken.getsockname()[1]
        request = b"CONNECT origin.test:%d HTTP/1.1\r\nHost: origin.test:%d\r\n\r\n" % (self.dead, self.dead)
        clients = threading.local()

        def turn():
            if not hasattr(clients, "mine"):
                clients.mine = self.client()
            client = clients.mine
            client.send(request)
            response = client.read_response("GET")
            if (response.status, response.header("connection")) != (502, None):
                raise AssertionError(repr(response))
        self.spread(turn, 0.2)
        descriptors = self.egret.descriptors()
        count = self.spread(turn)
        print("T20: %d refused tunnels a second" % (count / 4))
        self.assertGreater(count, 500)
        self.assertEqual(sum(self.sockets(state) for state in ("02", "06", "08")), 0)  # SYN_SENT, TIME_WAIT, CLOSE_WAIT
        until(lambda: self.egret.descriptors() <= descriptors + self.THREADS, "the descriptors of before")

    def test_R07_thousands_of_connections_come_and_go(self):
        self.start()
        origin = self.origin(lambda c: c.read_head() and c.send(OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")))
        descriptors = self.egret.descriptors()

        def turn():
            client = RawClient(self.egret.address)
            response = client.get(self.url(origin), "Connection: close")
            if response is None or response.status != 200 or client.end() != "fin":
                raise AssertionError(repr(response))
            client.close()
        count = self.spread(turn)
        print("R07: %d connections a second, each with one of the proxy's own" % (count / 4))
        self.assertGreater(count, 200)
        until(lambda: self.egret.descriptors() <= descriptors, "the descriptors of before")
        self.assertEqual(self.egret.metric("egret_client_connections_active"), 0)
        self.assertEqual(self.egret.metric("egret_failures_total"), 0)


class Ports(NetnsCase):
    def test_R06_without_local_ports_tunnels_are_refused_and_then_served_again(self):
        self.start()
        try:
            with open("/proc/sys/net/ipv4/ip_local_port_range", "w") as f:
                f.write("40000 40009")
        except OSError as e:
            self.skipTest("the range of local ports cannot be set here: %s" % e)
        origin = self.origin(echo, port=30000)
        ports = iter(range(20000, 30000))

        def connect():
            client = RawClient.__new__(RawClient)
            client.sock = socket.create_connection(self.egret.address, SECONDS, ("127.0.0.1", next(ports)))
            client.local = "%s:%d" % client.sock.getsockname()[:2]
            client.reader = Reader(client.sock)
            self.addCleanup(client.close)
            return client, client.connect("origin.test:%d" % origin.port)
        tunnels = [connect() for _ in range(10)]
        self.assertEqual([response.status for _, response in tunnels], [200] * 10)
        client, response = connect()
        self.assertEqual(response.status, 503)
        self.assertIn("local_ports_exhausted", response.header("proxy-status"))
        self.assertEqual(self.egret.one_line(source=client.local)["detail"], "local_ports_exhausted")
        began = time.monotonic()
        tunnels[0][0].reset()
        until(lambda: connect()[1].status == 200, "a port to be free again")
        print("R06: a tunnel again %.0f ms after one had ended" % ((time.monotonic() - began) * 1000))

    def test_R15_a_queue_that_overflows_is_counted_and_recovers(self):
        try:
            with open("/proc/sys/net/core/somaxconn", "w") as f:
                f.write("16")
        except OSError as e:
            self.skipTest("the length of the queue cannot be set here: %s" % e)
        self.start(workers=1)
        origin = self.origin()
        self.assert_ok(self.client().get(self.url(origin)))
        dropped = lambda: self.egret.metric("egret_accept_queue_drops_total")  # noqa: E731
        self.assertEqual(dropped(), 0)
        self.egret.signal(signal.SIGSTOP)
        until(self.all_stopped, "every thread to stand still")
        clients = []
        for _ in range(60):
            sock = socket.socket()
            self.addCleanup(sock.close)
            sock.setblocking(False)
            sock.connect_ex(self.egret.address)
            clients.append(sock)

        def told(name):
            with open("/proc/net/netstat") as f:
                names, values = [line.split() for line in f if line.startswith("TcpExt:")]
            return int(dict(zip(names, values))[name])
        until(lambda: told("ListenOverflows") > 0, "the queue to overflow")
        self.egret.signal(signal.SIGCONT)
        for sock in clients:  # whoever was dropped tries again, as the kernel does, within seconds
            sock.settimeout(SECONDS)
            until(lambda: sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0, "a connection")
            request = b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % self.url(origin).encode()
            until(lambda: self.sent(sock, request), "room for the request")
            answer = b""
            while piece := sock.recv(65536):
                answer += piece
            self.assertTrue(answer.startswith(b"HTTP/1.1 200 "), answer)
        self.assertGreater(dropped(), 0)
        # At the socket the kernel counts, beside overflows, every other packet that it drops there.
        until(lambda: dropped() >= told("ListenOverflows"), "each overflow to be told")

    def all_stopped(self):
        states = []
        for path in glob.glob("/proc/%d/task/*/stat" % self.egret.pid):
            with open(path) as f:
                states.append(f.read().rpartition(")")[2].split()[0])
        return set(states) == {"T"}

    @staticmethod
    def sent(sock, data):
        try:
            return sock.send(data) == len(data)
        except (BlockingIOError, OSError):
            return False


class Time(ProxyCase):
    def test_R12_a_process_that_stood_still_goes_on_where_it_was(self):
        chain = {"filters": CHAIN, "timeouts": {"header": "1s", "body": "1s"}}
        self.start_config({
            "listeners": [{"name": "egress", "address": "127.0.0.1:0", "filters": [{"http_connection": chain}]}],
            "policies": [{"name": "web", "rules": [allow()]}]}, {"origin.test": ["127.0.0.1"]})
        origin, echoing = self.origin(), self.origin(echo)
        tunnels = [self.tunnel(echoing) for _ in range(50)]
        begun, sending, idle = self.client(), self.client(), self.client()
        begun.send(b"GET %s HTTP/1.1\r\nHos" % self.url(origin).encode())
        sending.send(b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab" % self.url(origin).encode())
        self.assert_ok(idle.get(self.url(origin)))
        self.egret.signal(signal.SIGSTOP)
        self.addCleanup(self.egret.process.send_signal, signal.SIGCONT)
        stopped = time.monotonic()
        begun.send(b"t: x\r\n\r\n")
        sending.send(b"cd")
        for tunnel in tunnels:
            tunnel.send(b"\0while you slept")
        until(lambda: time.monotonic() > stopped + 3, "more time to pass than any of the limits")
        self.egret.signal(signal.SIGCONT)
        began = time.monotonic()
        self.assert_ok(begun.read_response())  # what came in time is not late because nobody looked
        self.assert_ok(sending.read_response())
        for tunnel in tunnels:
            self.assertEqual(tunnel.reader.exactly(16), b"\0while you slept")
        self.assert_ok(idle.get(self.url(origin)))
        print("R12: all served %.0f ms after it went on" % ((time.monotonic() - began) * 1000))
        self.assertEqual(self.egret.metric("egret_failures_total"), 0)

    def test_R13_a_clock_that_jumps_ends_nothing(self):
        library = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
        if SANITIZED or not library:
            self.skipTest("no libfaketime, or a sanitizer that wants to be loaded first")
        folder = os.environ["TEST_TMPDIR"]
        offset, script = os.path.join(folder, "offset"), os.path.join(folder, "egret-faketime")
        self.set_clock(offset, "+0")
        with open(script, "w") as f:
            f.write("#!/bin/sh\nexport LD_PRELOAD=%s FAKETIME_TIMESTAMP_FILE=%s FAKETIME_NO_CACHE=1 "
                    "FAKETIME_DONT_FAKE_MONOTONIC=1\nexec '%s' \"$@\"\n" % (library[0], offset, os.environ["EGRET"]))
        os.chmod(script, 0o755)
        self.addCleanup(os.environ.__setitem__, "EGRET", os.environ["EGRET"])
        os.environ["EGRET"] = script
        self.start(filters=[{"rate_limit": {"per": "SOURCE_ADDRESS", "requests": {"rate": 1, "burst": 20}}}, *CHAIN])
        origin = self.origin()
        tunnel, kept = self.tunnel(self.origin(echo)), self.client()
        for jump in ("+10d", "-10d", "+0"):
            self.set_clock(offset, jump)
            self.assert_ok(kept.get(self.url(origin)))
            tunnel.send(b"\0x")
            self.assertEqual(tunnel.reader.exactly(2), b"\0x")
            self.assert_ok(self.client().get(self.url(origin)))
        tunnel.close()
        line = self.egret.one_line(source=tunnel.local)
        self.assertLess(line["duration_ms"], 60000)
        self.assertEqual(line.get("detail"), None)
        self.assertEqual(self.egret.metric("egret_failures_total"), 0)
        self.egret.stop()
        days = {time.strptime(line["time"][:10], "%Y-%m-%d").tm_yday for line in self.egret.all_log_lines()}
        self.assertEqual(len(days), 3, days)  # the clock did jump

    @staticmethod
    def set_clock(path, offset):
        with open(path + ".new", "w") as f:
            f.write(offset)
        os.rename(path + ".new", path)


class Crash(ProxyCase):
    @unittest.skipIf(SANITIZED, "a sanitizer tells of crashes in its own way")
    def test_L04_a_crash_says_where_and_nothing_else(self):
        for number in (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS):
            with self.subTest(number):
                self.start()
                self.client().get(self.url(self.origin(), "/canary?canary"), "Authorization: canary", "Cookie: canary")
                self.egret.process.send_signal(number)
                self.assertEqual(self.egret.process.wait(SECONDS), -number)
                said = self.egret.stderr()
                self.egret.process = None
                self.assertIn("fatal signal %d (%s)" % (number, number.name), said)
                self.assertRegex(said, r"\[0x[0-9a-f]+\]|egret\(.*\+0x")
                self.assertNotIn("canary", said)
