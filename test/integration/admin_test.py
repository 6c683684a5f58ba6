"""The admin pages: what they tell, what they change, and whom they refuse (rows S08, O14, L11, S05)."""
import json
import os
import subprocess
import threading

from harness import ProxyCase, allow, proxy_config
from origins import echo
from raw_client import RawClient
from waiting import SECONDS, until

GET_PAGES = ["/", "/ready", "/live", "/server_info", "/listeners", "/clusters", "/connections", "/certs",
             "/config_dump", "/config_status", "/stats", "/stats/prometheus", "/taps", "/logging"]
POST_PAGES = ["/connections/end", "/preview", "/drain_listeners", "/quitquitquit"]


class Admin(ProxyCase):
    def ask(self, method, path, *fields, host="127.0.0.1"):
        lines = ["%s %s HTTP/1.1" % (method, path), "Host: " + host, *fields, "", ""]
        return self.client(self.egret.admin).ask("\r\n".join(lines).encode(), method)

    def json(self, path):
        status, text = self.egret.get(path)
        self.assertEqual(status, 200, text)
        return json.loads(text)

    def test_the_first_page_lists_all_others(self):
        self.start()
        text = self.egret.get("/")[1]
        html = self.ask("GET", "/", "Accept: text/html")
        self.assertIn("text/html", html.header("content-type"))
        for path in GET_PAGES + POST_PAGES:
            self.assertIn(path, text)
            self.assertIn(path, html.text())

    def test_S08_a_wrong_method_changes_nothing(self):
        self.start()
        for path in POST_PAGES + ["/logging?level=debug"]:
            for method in ("GET", "HEAD"):
                response = self.ask(method, path)
                self.assertEqual((response.status, response.header("allow")), (405, "POST"), path)
        for path in GET_PAGES:
            if path != "/logging":
                self.assertEqual(self.ask("POST", path, "Content-Length: 0").status, 405, path)
            for method in ("PUT", "DELETE"):
                self.assertEqual(self.ask(method, path, "Content-Length: 0").status, 405, path)
        self.assertEqual(self.egret.get("/ready"), (200, "LIVE\n"))
        self.assertNotIn("debug", self.egret.get("/logging")[1])

    def test_S08_pages_of_others_in_a_browser_reach_nothing(self):
        self.start()
        own = "127.0.0.1:%d" % self.egret.admin[1]
        for fields, host in ((("Origin: http://evil.test",), own), (("Origin: null",), own), ((), "evil.test"),
                             (("Origin: https://" + own,), own), (("Origin: http://evil.test",), "evil.test"),
                             (("Origin: http://localhost:%d" % self.egret.admin[1],), own)):
            response = self.ask("POST", "/quitquitquit", "Content-Length: 0", *fields, host=host)
            self.assertEqual(response.status, 403, fields)
        self.assertEqual(self.egret.get("/ready")[0], 200)
        response = self.ask("POST", "/logging?level=error", "Content-Length: 0", "Origin: http://" + own, host=own)
        self.assertEqual(response.status, 200)

    def test_S08_no_spelling_of_a_path_stands_for_another_page(self):
        self.start(metrics={"address": "127.0.0.1:0"})
        with open(self.egret.path("ready.json")) as f:
            host, _, port = json.load(f)["metrics"].rpartition(":")
        spellings = ("/./%s", "/x/../%s", "/%%2e/%s", "/ready/%%2e%%2e/%s", "/ready/..;/%s", "/;/%s", "/ready;/../%s",
                     "/ready%%2f..%%2f%s", "/ready/../%s", "/ready\\..\\%s", "/ready#/../%s", "%s", "http://127.0.0.1/%s",
                     "http://127.0.0.1@evil.test/%s", "*/%s")
        for page in ("config_dump", "quitquitquit", "logging?level=debug"):
            name, mark, query = page.partition("?")
            tricks = ["%s%s%s" % (each % name, mark, query) for each in ("//%s", *spellings)]
            tricks += ["/%s%s" % (name + end, mark + query) for end in ("/", ";", ";x=y", "%00", "%20", "%2e", "%3f", ".", "#x")]
            tricks += ["/%%%02x%s%s" % (ord(name[0]), name[1:], mark + query), "/%s%s" % (name.upper(), mark + query)]
            for address in (self.egret.admin, (host, int(port))):
                for method in ("GET", "POST"):
                    for path in tricks:
                        line = "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n" % (method, path)
                        client = RawClient(address)
                        self.assertIn(client.ask(line.encode(), method).status, (400, 403, 404), path)
                        client.close()
        self.assertEqual(self.egret.get("/ready"), (200, "LIVE\n"))
        self.assertNotIn("debug", self.egret.get("/logging")[1])

    def test_S08_no_field_makes_a_GET_a_change(self):
        self.start()
        for field in ("X-HTTP-Method-Override: POST", "X-HTTP-Method: POST", "X-Method-Override: POST",
                      "X-Original-URL: /quitquitquit", "X-Rewrite-URL: /quitquitquit", "X-Forwarded-Host: localhost"):
            self.assertEqual(self.ask("GET", "/quitquitquit", field).status, 405, field)
            self.assertEqual(self.ask("GET", "/ready", field).status, 200, field)
        self.assertEqual(self.ask("GET", "/quitquitquit?_method=POST").status, 405)
        self.assertEqual(self.egret.get("/ready"), (200, "LIVE\n"))

    def test_S08_the_admin_is_for_this_machine(self):
        for address in ("0.0.0.0:9901", "[::]:9901", "192.0.2.1:9901"):
            path = os.path.join(os.environ["TEST_TMPDIR"], "open.json")
            with open(path, "w") as f:
                json.dump(proxy_config([allow()], admin={"address": address}), f)
            run = subprocess.run([os.environ["EGRET"], "--config", path, "--mode", "validate"], text=True,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS)
            self.assertEqual(run.returncode, 1, run.stdout)
            self.assertIn("admin.address", run.stdout)

    def test_O14_at_the_limit_of_connections_every_page_answers_and_room_can_be_made(self):
        self.start(limits={"connections": 20}, metrics={"address": "127.0.0.1:0"})
        origin = self.origin(echo)
        clients = [self.tunnel(origin) for _ in range(20)]
        late = self.client()
        self.assertIn(late.end(), ("fin", "rst"))
        self.assert_all_answers()
        open_now = self.connections(source=clients[7].local)[0]["request_id"]
        self.assertEqual(self.ask("POST", "/connections/end?request_id=" + open_now, "Content-Length: 0").status, 200)
        self.assertEqual(clients[7].end(), "rst")
        until(lambda: self.egret.metric("egret_client_connections_active") < 20, "room for one")
        self.tunnel(origin)
        self.assertGreaterEqual(self.egret.metric("egret_limit_hits_total", limit="connections"), 1)

    def test_O14_where_memory_is_very_scarce_every_page_answers(self):
        self.start(limits={"memory": {"hard": {"bytes": 1 << 20}}}, metrics={"address": "127.0.0.1:0"})
        until(lambda: self.egret.metric("egret_overload_state") == 2, "memory to count as very scarce")
        self.assertEqual(self.client().get("http://origin.test:1/").status, 503)
        self.assert_all_answers()
        self.assertEqual(self.ask("POST", "/logging?level=error", "Content-Length: 0").status, 200)

    def test_O14_whoever_keeps_connections_to_the_metrics_hinders_nobody_else(self):
        self.start(metrics={"address": "127.0.0.1:0"})
        with open(self.egret.path("ready.json")) as f:
            host, _, port = json.load(f)["metrics"].rpartition(":")
        before = self.egret.descriptors()
        ask = b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n"
        for sent in (b"", b"GET /live HTT", ask % b"/stats/prometheus" * 8):  # none reads
            for kept in range(150):
                client = RawClient((host, int(port)), receive_buffer=2048)
                self.addCleanup(client.close)
                client.send_what_goes(sent)
                if kept % 30 == 0:
                    for path in (b"/live", b"/stats/prometheus"):
                        self.assertEqual(self.client((host, int(port))).ask(ask % path).status, 200)
            self.assertLess(self.egret.descriptors(), before + 200)
        self.assert_ok(self.client().get(self.url(self.origin())))
        self.assertEqual(self.egret.get("/ready")[0], 200)  # of the operators, apart from it

    def assert_all_answers(self):
        """Side by side, as several operators and scrapers would."""
        asked = [(path, self.client(self.egret.admin)) for path in GET_PAGES for _ in range(3)]
        for path, client in asked:
            client.send(b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n" % path.encode())
        for path, client in asked:
            self.assertEqual(client.read_response().status, 200, path)
        with open(self.egret.path("ready.json")) as f:
            host, _, port = json.load(f)["metrics"].rpartition(":")
        scrape = self.client((host, int(port))).ask(b"GET /stats/prometheus HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertEqual(scrape.status, 200)

    def test_HEAD_gives_the_head_of_what_GET_gives(self):
        self.start()
        for path in GET_PAGES:
            response = self.ask("HEAD", path)
            self.assertEqual((response.status, response.body), (200, b""), path)
            self.assertNotEqual(response.header("content-length"), "0", path)

    def test_who_it_is_may_be_said_where_it_is_started(self):
        self.start_config(proxy_config([allow()]), arguments=["--node-id", "egret-5d9-x"])
        self.assertEqual(self.json("/server_info")["node_id"], "egret-5d9-x")

    def test_server_listeners_and_pools_are_told(self):
        self.start(workers=2)
        info = self.json("/server_info")
        self.assertEqual((info["state"], info["workers"], info["pid"]), ("LIVE", 2, self.egret.pid))
        self.assertEqual(info["options"]["config"], self.egret.config_path)
        origin = self.origin()
        client = self.client()
        self.assert_ok(client.get(self.url(origin)))
        self.assertEqual(self.json("/listeners")["listeners"],
                         [{"name": "egress", "address": "%s:%d" % self.egret.address, "connections": 1}])
        key = "origin.test:%d" % origin.port
        until(lambda: [key, 1, 1, 0] in [[p["key"], p["links"], p["idle"], p["in_use"]]
                                         for p in self.json("/clusters")["pool"]], "the idle connection in /clusters")

    def connections(self, **match):
        return [c for c in self.json("/connections")["connections"] if match.items() <= c.items()]

    def test_an_open_tunnel_is_told_with_its_bytes_and_ended_by_POST(self):
        self.start()
        origin = self.origin(echo)
        client, other = self.tunnel(origin), self.tunnel(origin)
        client.send(b"\0" + b"x" * 999)
        client.reader.exactly(1000)
        other.send(b"\0")
        other.reader.exactly(1)
        before = self.connections(source=other.local)[0]  # has moved a byte, beside the heads
        tunnel = until(lambda: [c for c in self.connections(source=client.local)
                                if c["received_bytes"] - before["received_bytes"] == 999
                                and c["sent_bytes"] - before["sent_bytes"] == 999], "999 more bytes both ways")[0]
        self.assertEqual((tunnel["kind"], tunnel["listener"], tunnel["rule"], tunnel["target"]),
                         ("tunnel", "egress", "local", "origin.test:%d" % origin.port))
        end = "/connections/end?request_id="
        self.assertEqual(self.ask("POST", end + tunnel["request_id"], "Content-Length: 0").status, 200)
        self.assertEqual(client.end(), "rst")
        self.assertEqual(origin.wait_ended(0), "rst")
        line = self.egret.one_line(source=client.local)
        self.assertEqual((line["close_reason"], line["detail"], line["received_bytes"] >= 1000),
                         ("admin_ended", "admin_ended", True))
        self.assertEqual(self.ask("POST", end + tunnel["request_id"], "Content-Length: 0").status, 404)
        self.assertEqual(self.ask("POST", "/connections/end", "Content-Length: 0").status, 400)
        other.send(b"y")
        self.assertEqual(other.reader.exactly(1), b"y")

    def test_a_request_in_flight_is_told_and_ended_by_POST(self):
        self.start()
        release = threading.Event()

        def held(connection):
            connection.read_request()
            release.wait(SECONDS)
        origin = self.origin(held)
        self.addCleanup(release.set)
        client = self.client()
        client.send(b"GET %s HTTP/1.1\r\nHost: origin.test:%d\r\n\r\n"
                    % (self.url(origin, "/p?token=canary").encode(), origin.port))
        request = until(lambda: self.connections(kind="request", path="/p", rule="local"), "the request in /connections")[0]
        self.assertNotIn("canary", self.egret.get("/connections")[1])  # S05
        self.assertEqual(self.ask("POST", "/connections/end?request_id=" + request["request_id"],
                                  "Content-Length: 0").status, 200)
        self.assertEqual(client.end(), "rst")
        self.assertEqual(self.egret.one_line(source=client.local)["detail"], "admin_ended")

    def test_stats_are_filtered_and_given_as_json(self):
        self.start()
        self.assert_ok(self.client().get(self.url(self.origin())))
        text = self.egret.get("/stats?filter=%5Eegret_requests_total")[1]
        self.assertEqual(text, "egret_requests_total: 1\n")
        stats = self.json("/stats?format=json&filter=%5Eegret_requests_total%7Crequest_size")["stats"]
        self.assertEqual({s["name"]: s["type"] for s in stats},
                         {"egret_requests_total": "counter", "egret_request_size_bytes": "histogram"})
        self.assertEqual(self.egret.get("/stats?filter=(")[0], 400)
        self.assertEqual(self.egret.get("/stats?format=xml")[0], 400)

    def test_levels_are_changed_by_component(self):
        self.start()
        self.assertEqual(self.ask("POST", "/logging?dns=debug&http=off", "Content-Length: 0").status, 200)
        levels = dict(line.split(": ") for line in self.egret.get("/logging")[1].splitlines())
        self.assertEqual((levels["dns"], levels["http"], levels["policy"]), ("debug", "off", "info"))
        for query in ("", "?dsn=debug", "?dns=loud", "?policy=debug&x=y"):
            self.assertEqual(self.ask("POST", "/logging" + query, "Content-Length: 0").status, 400, query)
        self.assertIn("policy: info", self.egret.get("/logging")[1])
        self.assert_ok(self.client().get(self.url(self.origin())))
        until(lambda: "debug: dns: origin.test" in self.egret.stderr(), "what dns does, said")

    def test_L11_health_is_failed_and_restored_and_traffic_goes_on(self):
        self.start()
        origin = self.origin()
        kept = self.client()
        self.assert_ok(kept.get(self.url(origin)))
        for _ in range(2):
            self.assertEqual(self.ask("POST", "/healthcheck/fail", "Content-Length: 0").status, 200)
            self.assertEqual(self.egret.get("/ready"), (503, "FAILED\n"))
            self.assertEqual(self.egret.metric("egret_ready"), 0)
            self.assertEqual(self.egret.get("/live"), (200, "OK\n"))
            self.assertEqual(self.json("/server_info")["state"], "FAILED")
            for client in (kept, self.client()):
                response = client.get(self.url(origin))
                self.assert_ok(response)
                self.assertIsNone(response.header("connection"))
            self.assertEqual(self.egret.get("/healthcheck/ok")[0], 405)
            self.assertEqual(self.egret.get("/ready")[0], 503)
            self.assertEqual(self.ask("POST", "/healthcheck/ok", "Content-Length: 0").status, 200)
            self.assertEqual(self.egret.get("/ready"), (200, "LIVE\n"))
            self.assertEqual(self.egret.metric("egret_ready"), 1)

    def test_L11_quit_ends_it_in_order(self):
        self.start()
        self.assertEqual(self.ask("POST", "/quitquitquit", "Content-Length: 0").status, 200)
        self.egret.asked_to_end = True
        self.assertEqual(self.egret.wait(), 0)
