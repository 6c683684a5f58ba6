"""Ending in order and restarting without a lost connection, under load (rows L01, L02, L03, L05, L06, L07, L10, L11)."""
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.request

from egret import DIRECT, Egret
from harness import HOSTS, SANITIZED, ProxyCase, allow, deny, proxy_config
from load import Load
from origins import echo
from waiting import SECONDS, until

MANY = 100 if SANITIZED else 400  # requests that are enough to speak of a load


class RestartCase(ProxyCase):
    def config(self, **top):
        return proxy_config([deny(), allow()], **top)

    def load(self, origin, egret=None, **more):
        load = Load((egret or self.egret).address, self.url(origin), **more)
        self.addCleanup(load.stop)
        return load

    def post(self, path, egret=None):
        request = urllib.request.Request("http://%s:%d%s" % (*(egret or self.egret).admin, path), method="POST")
        with DIRECT.open(request, timeout=SECONDS) as answer:
            return answer.status

    def run_with(self, *arguments, **top):
        self.egret = Egret(self.config(**top), HOSTS, arguments=arguments)
        self.addCleanup(self._stop, self.egret)
        return self.egret


class Drains(RestartCase):
    def test_L01_under_load_nothing_fails_that_was_not_told_to_go(self):
        self.start_config(self.config(drain={"accept_grace": "2s", "timeout": "10s", "jitter": "1s"}), HOSTS)
        load = self.load(self.origin())
        load.wait_served(MANY)
        self.egret.terminate()
        until(lambda: self.egret.get("/ready")[0] == 503, "/ready to say 503", 1)
        before = load.told
        self.assert_ok(self.client().get(self.url(self.origin())))  # in the grace
        until(lambda: load.told >= before + 4, "the clients that keep their connection to be told")
        load.connecting = False  # as whoever watches /ready sees to
        self.assertEqual(load.stop(), [])
        self.assertEqual(self.egret.wait(), 0)

    def test_L01_in_the_grace_a_response_says_close(self):
        self.start_config(self.config(drain={"accept_grace": "30s"}), HOSTS)
        origin = self.origin()
        kept = self.client()
        self.assertIsNone(kept.get(self.url(origin)).header("connection"))
        self.egret.terminate()
        until(lambda: self.egret.get("/ready")[0] == 503, "/ready to say 503")
        for client in (kept, self.client()):
            response = client.get(self.url(origin))
            self.assert_ok(response)
            self.assertEqual((response.header("connection"), client.end()), ("close", "fin"))
        self.egret.terminate()  # it need not take the 30 s
        self.assertEqual(self.egret.wait(10), 0)

    def test_L01_tunnels_live_to_the_deadline_and_are_reset(self):
        self.start_config(self.config(drain={"timeout": "3s", "jitter": "1s"}), HOSTS)
        origin = self.origin(echo)
        tunnels = [self.tunnel(origin) for _ in range(20)]
        for tunnel in tunnels:
            tunnel.send(b"\0x")
            tunnel.reader.exactly(2)
        began = time.monotonic()
        self.egret.terminate()
        until(lambda: self.egret.get("/ready")[0] == 503, "/ready to say 503")
        for tunnel in tunnels:
            tunnel.send(b"y")
            self.assertEqual(tunnel.reader.exactly(1), b"y")
        ends = []
        threads = [threading.Thread(target=lambda t=t: ends.append((t.end(), time.monotonic() - began)))
                   for t in tunnels]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(SECONDS)
        self.assertEqual(self.egret.wait(), 0)
        self.assertEqual({end for end, _ in ends}, {"rst"})
        self.assertEqual(len(ends), 20)
        self.assertGreater(min(at for _, at in ends), 1.9)
        self.assertGreater(max(at for _, at in ends) - min(at for _, at in ends), 0.3)  # not all at once
        lines = [line for line in self.egret.all_log_lines() if line["event"] == "end"]
        self.assertEqual([(line["detail"], line["close_reason"]) for line in lines], [("drain", "drain")] * 20)

    def test_L01_drain_reaches_the_requests_inside_a_tunnel(self):
        self.start_config(self.config(drain={"accept_grace": "30s"}), HOSTS)
        origin = self.origin()
        tunnel = self.tunnel(origin)
        self.egret.terminate()
        until(lambda: self.egret.get("/ready")[0] == 503, "/ready to say 503")
        response = tunnel.ask(b"GET / HTTP/1.1\r\nHost: origin.test:%d\r\n\r\n" % origin.port)
        self.assert_ok(response)
        self.assertEqual((response.header("connection"), tunnel.end()), ("close", "fin"))
        self.egret.terminate()
        self.assertEqual(self.egret.wait(10), 0)

    def test_L01_idle_connections_end_also_inside_tunnels(self):
        self.start_config(self.config(drain={"timeout": "60s"}), HOSTS)
        origin = self.origin()
        idle, tunnel, unasked = self.client(), self.tunnel(origin), self.client()
        self.assert_ok(idle.get(self.url(origin)))
        self.assert_ok(tunnel.ask(b"GET / HTTP/1.1\r\nHost: origin.test:%d\r\n\r\n" % origin.port))
        self.egret.terminate()
        for client in (idle, tunnel, unasked):
            self.assertEqual(client.end(), "fin")
        self.assertEqual(self.egret.wait(), 0)

    def test_L02_a_second_signal_ends_at_once_with_status_0(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number):
                self.start_config(self.config(drain={"timeout": "10m"}), HOSTS)
                tunnel = self.tunnel(self.origin(echo))
                tunnel.send(b"\0x")
                tunnel.reader.exactly(2)
                self.egret.terminate()
                until(lambda: self.egret.get("/ready")[0] == 503, "/ready to say 503")
                for harmless in (signal.SIGHUP, signal.SIGPIPE):
                    self.egret.signal(harmless)
                self.assertIsNone(self.egret.process.poll())
                self.egret.signal(number)
                self.assertEqual(self.egret.wait(10), 0)

    def race_the_close(self, **load):
        """Clients whose requests cross the proxy's ends; how many of them did."""
        self.start_config(self.config(drain={"timeout": "10s", "jitter": "300ms"}), HOSTS)
        origin = self.origin()
        load = self.load(origin, fresh=0, kept=12, **load)
        load.wait_served(60)
        load.connecting = False
        self.egret.terminate()
        for thread in load.threads:  # each goes on until its connection ends
            thread.join(SECONDS)
        self.assertEqual(self.egret.wait(), 0)
        failures = load.stop()
        self.assertEqual([str(e) for e in failures if e.got or not e.reused], [])
        self.assertEqual(len(origin.requests), load.served)
        print("L10: %d of 12 connections ended under a request, all before its first byte" % len(failures))

    def test_L10_a_request_that_crosses_an_idle_end_got_no_byte_and_was_not_forwarded(self):
        self.race_the_close(pause=0.8)

    def test_L10_nor_one_of_a_client_that_does_not_heed_close(self):
        self.race_the_close(pause=0.02, obey=False)

    def test_L11_the_admin_drains_and_quits(self):
        self.start_config(self.config(), HOSTS)
        for path in ("/drain_listeners", "/quitquitquit"):
            self.assertEqual(self.egret.get(path)[0], 405)
        self.assertEqual(self.egret.get("/ready")[0], 200)
        self.assertEqual(self.post("/drain_listeners"), 200)
        self.assertEqual(self.egret.get("/ready")[0], 503)
        until(self.refused, "new connections to be refused")
        self.assertIsNone(self.egret.process.poll())
        self.egret.asked_to_end = True
        self.assertEqual(self.post("/quitquitquit"), 200)
        self.assertEqual(self.egret.wait(), 0)

    def refused(self):
        try:
            socket.create_connection(self.egret.address, 5).close()
            return False
        except ConnectionRefusedError:
            return True


class TakesOver(RestartCase):
    def setUp(self):
        folder = tempfile.mkdtemp(prefix="egret-", dir="/tmp")  # TEST_TMPDIR may be too long for a socket's path
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        self.path = os.path.join(folder, "take-over")

    def start_one(self, workers=2, **top):
        return self.run_with("--take-over", self.path, workers=workers, **top)

    def succeed(self, load, workers):
        """A new process takes over from self.egret, which ends in order."""
        old = self.egret
        old.asked_to_end = True
        new = self.start_one(workers)
        self.assertEqual((new.address, new.admin), (old.address, old.admin))
        self.assertEqual(old.wait(), 0)
        load.wait_served(MANY)
        self.assertEqual(new.get("/ready")[0], 200)
        return new

    def chain_of(self, *workers):
        self.start_one(workers[0])
        load = self.load(self.origin())
        load.wait_served(MANY)
        for count in workers[1:]:
            self.succeed(load, count)
        self.assertEqual(load.stop(), [])
        self.assertGreater(load.told, 0)

    def test_L05_no_connection_is_lost_over_three_restarts(self):
        self.chain_of(2, 2, 2, 2)

    def test_L07_nor_when_the_number_of_workers_changes(self):
        self.chain_of(1, 3, 2, 1)

    def test_L05_a_tunnel_of_the_old_process_lives_on(self):
        self.start_one(drain={"timeout": "60s"})
        old = self.egret
        tunnel = self.tunnel(self.origin(echo))
        tunnel.send(b"\0x")
        tunnel.reader.exactly(2)
        old.asked_to_end = True
        new = self.start_one()
        until(lambda: "taken over" in old.stderr(), "the old process to know")
        self.assert_ok(self.client().get(self.url(self.origin())))
        tunnel.send(b"y")
        self.assertEqual(tunnel.reader.exactly(1), b"y")
        tunnel.fin()
        tunnel.end()
        self.assertEqual(old.wait(), 0)
        self.assertEqual(new.get("/ready")[0], 200)

    def fails_to_start(self, config_text, says):
        path = self.egret.write("bad.yaml", config_text)
        run = subprocess.run([os.environ["EGRET"], "--config", path, "--take-over", self.path], stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, timeout=SECONDS)
        self.assertEqual(run.returncode, 1, run.stdout)
        self.assertIn(says, run.stdout)

    def test_L06_where_the_new_process_fails_the_old_one_goes_on(self):
        self.start_one()
        load = self.load(self.origin())
        load.wait_served(MANY)
        with open(self.egret.config_path) as f:
            good = f.read()
        self.fails_to_start(good.replace("connect_tunnel", "connect_tunel"), "connect_tunel")
        with socket.create_server(("127.0.0.1", 0)) as taken:  # found out with the sockets in its hands
            self.fails_to_start(good.replace('"admin": {', '"metrics": {"address": "127.0.0.1:%d"}, "admin": {'
                                             % taken.getsockname()[1]), "Address already in use")
        load.wait_served(MANY)
        self.assertEqual(self.egret.get("/ready")[0], 200)
        self.succeed(load, 2)  # and another one may still come
        self.assertEqual(load.stop(), [])

    def test_L06_a_new_process_that_dies_with_the_sockets_or_speaks_otherwise_costs_nothing(self):
        self.start_one()
        load = self.load(self.origin())
        load.wait_served(MANY)
        for hello, answer in ((b"egret-take-over 1\n", b"sockets "), (b"egret-take-over 99\n", b"no "),
                              (b"\0\xff nonsense\n", b"no "), (b"", b"")):
            with socket.socket(socket.AF_UNIX) as s:
                s.connect(self.path)
                s.sendall(hello)
                if hello:
                    data, fds, _, _ = socket.recv_fds(s, 1000, 16)
                    self.assertTrue(data.startswith(answer), data)
                    for fd in fds:
                        os.close(fd)
        load.wait_served(MANY)
        self.succeed(load, 2)
        self.assertEqual(load.stop(), [])

    def test_the_socket_is_for_nobody_else(self):
        self.start_one()
        self.assertEqual(os.stat(self.path).st_mode & 0o777, 0o600)

    def test_L03_killed_under_load_it_starts_again_at_once(self):
        old = self.start_one(workers=2)
        load = self.load(self.origin())
        load.wait_served(MANY)
        old.kill()
        load.stop()
        config = self.config(workers=2)
        config["listeners"][0]["address"] = "%s:%d" % old.address
        began = time.monotonic()
        self.egret = Egret(config, HOSTS, arguments=("--take-over", self.path))  # the file of the socket is still there
        print("L03: ready after %d ms" % ((time.monotonic() - began) * 1000))
        self.addCleanup(self._stop, self.egret)
        self.assertEqual(self.egret.address, old.address)
        self.assert_ok(self.client().get(self.url(self.origin())))
