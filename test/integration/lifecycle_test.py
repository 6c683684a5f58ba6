"""Starting, being asked, and ending: ready-file, admin port, --mode validate, signals (rows L01, L02, L12, X28)."""
import json
import os
import signal
import socket
import subprocess
import tempfile
import threading

from harness import ProxyCase, allow, deny, proxy_config
from origins import echo
from waiting import SECONDS, until

SMALLEST = """
admin: {address: "127.0.0.1:0"}
listeners:
- name: egress
  address: "127.0.0.1:0"
  filters:                                      # one chain that matches everything: short form of filter_chains
  - http_connection:
      filters:
      - egress_policy: {policy: web}
      - connect_tunnel: {}
      - forward_router: {}
policies:
- name: web
  rules:
  - {name: public-web, action: ALLOW}
"""


class Programs(ProxyCase):
    def run_egret(self, text, *words, status):
        """Standard output and error, together, of a run that ends by itself."""
        folder = self.folder()
        path = os.path.join(folder, "egret.yaml")
        with open(path, "w") as f:
            f.write(text)
        run = subprocess.run([os.environ["EGRET"], "--config", path, *words], stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True, timeout=SECONDS)
        self.assertEqual(run.returncode == 0, status == 0, run.stdout)
        if status != 0:
            self.assertLess(run.returncode, 126, run.stdout)  # a refusal, not a crash
            self.assertGreater(run.returncode, 0, run.stdout)
        return run.stdout

    def folder(self):
        return tempfile.mkdtemp(dir=os.environ["TEST_TMPDIR"])


class Validate(Programs):
    def test_the_smallest_useful_file_is_valid_and_nothing_is_opened(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:  # a port in use is no matter of validity
            text = SMALLEST.replace('address: "127.0.0.1:0"\n', 'address: "127.0.0.1:%d"\n' % taken.getsockname()[1])
            self.run_egret(text, "--mode", "validate", status=0)

    def test_X28_all_errors_are_told_at_once_with_place_value_and_remedy(self):
        text = (SMALLEST.replace("action: ALLOW", "action: PERMIT").replace("policy: web", "policy: wbe")
                .replace("connect_tunnel: {}", "connect_tunel: {}")
                .replace("admin: {address: \"127.0.0.1:0\"}", "workers: many\nadmin: {address: \"127.0.0.1:0\"}"))
        for mode in (("--mode", "validate"), ()):
            said = self.run_egret(text, *mode, status=1)
            for word in ("PERMIT", "connect_tunel", "connect_tunnel", "many", "egret.yaml:"):
                self.assertIn(word, said)

    def test_references_and_chains_are_checked(self):
        for change, words in {
            ("policy: web", "policy: wbe"): ("wbe",),
            ("      - egress_policy: {policy: web}\n", ""): ("egress_policy",),
            ("      - forward_router: {}\n", ""): ("forward_router",),
            ("{name: public-web, action: ALLOW}", "{name: public-web, action: ALLOW, to: }"):
                ("rules[0].to", "no value"),
            ("{name: public-web, action: ALLOW}", "{name: a, action: ALLOW, to: {domains: ['http://x.test']}}"):
                ("http://x.test",),
            ("{name: public-web, action: ALLOW}", "{name: a, action: ALLOW, to: {cidrs: [10.0.0.0/99]}}"):
                ("10.0.0.0/99",),
            ("{name: public-web, action: ALLOW}", "{name: a, action: ALLOW}\n  - {name: a, action: DENY}"): ("a",),
            ("{name: public-web, action: ALLOW}", "{name: a, action: ALLOW, http: {path_regexes: ['(']}}"): ("(",),
            ("- name: web", "- name: web\n  name: web"): ("name",),
        }.items():
            with self.subTest(change):
                self.assertIn(change[0], SMALLEST)
                said = self.run_egret(SMALLEST.replace(*change, 1), "--mode", "validate", status=1)
                for word in words:
                    self.assertIn(word, said)

    def test_what_is_no_file_or_no_yaml_is_told(self):
        self.assertIn("egret.yaml", self.run_egret("listeners: [", "--mode", "validate", status=1))
        self.run_egret("", "--mode", "validate", status=1)
        run = subprocess.run([os.environ["EGRET"], "--config", "/nonexistent/egret.yaml"], stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, timeout=SECONDS)
        self.assertGreater(run.returncode, 0)
        self.assertIn("/nonexistent/egret.yaml", run.stdout)
        self.assertIn("No such file", run.stdout)

    def test_S04_a_secret_that_everybody_can_read_is_told_of(self):
        secret = os.path.join(self.folder(), "credential")
        text = SMALLEST + "upstreams: [{name: up, http_proxy: {address: 'p:1', credential: c}}]\n" \
            "secrets: [{name: c, credential: {file: %s}}]\n" % secret
        with open(secret, "w") as f:
            f.write("user:canary")
        for mode, words in ((0o644, "everybody on this machine can read " + secret), (0o604, "chmod o-r"), (0o640, None),
                            (0o600, None)):
            os.chmod(secret, mode)
            said = self.run_egret(text, "--mode", "validate", status=0)
            self.assertNotIn("canary", said)
            self.assertIn(words or "valid", said)
            self.assertEqual("warning" in said, words is not None, said)

    def test_X28_a_port_in_use_is_told_with_its_owner(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            for name, free in (("listener", '  address: "127.0.0.1:0"'), ("admin", 'admin: {address: "127.0.0.1:0"')):
                text = SMALLEST.replace(free, free.replace(":0", ":%d" % port))
                with self.subTest(name):
                    said = self.run_egret(text, status=1)
                    self.assertIn("127.0.0.1:%d" % port, said)
                    self.assertIn(str(os.getpid()), said)
                    with open("/proc/self/comm") as f:
                        self.assertIn(f.read().strip(), said)


class Admin(ProxyCase):
    def test_ready_config_and_metrics_are_told(self):
        self.start()
        self.assertEqual(self.egret.get("/ready")[0], 200)
        status, text = self.egret.get("/config_dump")
        self.assertEqual(status, 200)
        self.assertIn("local", json.dumps(json.loads(text)))
        self.assertTrue(any(series.startswith("egret_") for series in self.egret.metrics()))
        self.assertEqual(self.egret.get("/nonsense")[0], 404)

    def test_metrics_are_well_formed(self):
        self.start()
        self.assert_ok(self.client().get(self.url(self.origin())))
        status, text = self.egret.get("/stats/prometheus")
        self.assertEqual(status, 200)
        typed = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE ")}
        for line in text.splitlines():
            if line and not line.startswith("#"):
                name = line.split("{")[0].split(" ")[0]
                base = name
                for suffix in ("_bucket", "_sum", "_count"):
                    base = base.removesuffix(suffix)
                self.assertTrue(name in typed or base in typed, line)
                float(line.rsplit(" ", 1)[1])

    def test_the_admin_port_only_answers_to_its_own_name(self):
        self.start()
        for request, statuses in {
            b"GET /ready HTTP/1.1\r\nHost: evil.test\r\n\r\n": (400, 403, 421),
            b"DELETE /ready HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n": (400, 405),
            b"GET http://127.0.0.1/ready HTTP/1.1\r\nHost: evil.test\r\n\r\n": (400, 403, 421),
        }.items():
            with self.subTest(request):
                self.assertIn(self.client(self.egret.admin).ask(request).status, statuses)

    def test_X28_a_file_that_ready_means_ready(self):
        for _ in range(5):
            egret = self.start()
            with socket.create_connection(egret.address, 5):
                pass
            self.assertEqual(egret.get("/ready")[0], 200)
            egret.stop()


class Endings(ProxyCase):
    def test_L01_a_download_in_flight_ends_whole_and_then_the_process(self):
        self.start()
        go_on, size = threading.Event(), 400000

        def slow(connection):
            connection.read_request()
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"x" * (size // 2))
            go_on.wait(SECONDS)
            connection.send(b"x" * (size // 2))
            connection.wait_end()
        origin = self.origin(slow)
        client, idle = self.client(), self.client()
        self.assert_ok(idle.get(self.url(self.origin())))
        client.send(b"GET %s HTTP/1.1\r\nHost: origin.test:%d\r\n\r\n" % (self.url(origin).encode(), origin.port))
        client.reader.until(b"x" * 1000)
        self.egret.terminate()
        self.assertEqual(idle.end(), "fin")  # the proxy is on its way out
        go_on.set()
        client.reader.taken = 0
        response = client.read_response()
        self.assertEqual((response.status, len(response.body)), (200, size))
        client.close()
        self.assertEqual(self.egret.wait(), 0)
        self.assertEqual([line["sent_bytes"] > size for line in self.egret.all_log_lines()
                          if line.get("target") == "origin.test:%d" % origin.port], [True])

    def test_L01_new_connections_are_refused_and_ready_says_no(self):
        self.start()
        release = threading.Event()

        def held(connection):
            connection.read_request()
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab")
            release.wait(SECONDS)
            connection.send(b"cd")
        origin = self.origin(held)
        client = self.client()
        client.send(b"GET %s HTTP/1.1\r\nHost: origin.test:%d\r\n\r\n" % (self.url(origin).encode(), origin.port))
        client.reader.until(b"\r\n\r\nab")  # Via may hold an "ab" as well
        self.egret.terminate()
        until(lambda: self.egret.get("/ready")[0] == 503, "/ready to say 503")
        release.set()
        self.assertEqual(client.reader.until(b"cd"), b"cd")
        self.assertEqual(client.end(), "fin")
        self.assertEqual(self.egret.wait(), 0)

    def test_L02_a_second_sigterm_ends_at_once(self):
        self.start()
        origin = self.origin(echo)
        client = self.tunnel(origin)
        client.send(b"\0x")
        client.reader.exactly(2)
        self.egret.terminate()
        until(lambda: "drain" in self.egret.stderr().lower() or self.egret.process.poll() is not None
              or self.not_ready(), "the drain")
        self.egret.terminate()
        client.end()
        self.egret.wait(10)

    def not_ready(self):
        try:
            return self.egret.get("/ready")[0] != 200
        except OSError:
            return True

    def test_L02_sigint_ends_and_sigpipe_and_sighup_do_not(self):
        self.start()
        for number in (signal.SIGPIPE, signal.SIGHUP):
            self.egret.signal(number)
            self.assert_ok(self.client().get(self.url(self.origin())))
        self.egret.signal(signal.SIGINT)
        self.assertEqual(self.egret.wait(), 0)

    def test_L02_sigusr1_opens_the_log_again(self):
        self.start()
        origin = self.origin()
        self.assert_ok(self.client().get(self.url(origin, "/before")))
        self.egret.log_lines(path="/before")
        os.rename(self.egret.log_path, self.egret.log_path + ".1")
        self.egret.signal(signal.SIGUSR1)

        def ask_until_it_is_there():  # the file is made with the first line after the signal
            self.assert_ok(self.client().get(self.url(origin, "/after")))
            return os.path.exists(self.egret.log_path)
        until(ask_until_it_is_there, "a new log file")
        self.egret.log_lines(path="/after")

    def test_O12_the_last_lines_are_out_when_the_process_ends(self):
        self.start()
        origin = self.origin()
        clients = [self.client() for _ in range(50)]
        for n, client in enumerate(clients):
            client.send(b"GET %s HTTP/1.1\r\nHost: origin.test:%d\r\n\r\n"
                        % (self.url(origin, "/%d" % n).encode(), origin.port))
        for client in clients:
            self.assert_ok(client.read_response())
            client.close()
        self.egret.stop()
        self.assertEqual({line["path"] for line in self.egret.all_log_lines()}, {"/%d" % n for n in range(50)})

    def test_L03_a_killed_proxy_starts_again_at_once(self):
        self.start()
        config = proxy_config([deny(), allow()])
        address = self.egret.address
        config["listeners"][0]["address"] = "%s:%d" % address
        self.egret.kill()
        self.start_config(config, {"origin.test": ["127.0.0.1"]})
        self.assertEqual(self.egret.address, address)
        self.assert_ok(self.client().get(self.url(self.origin())))
