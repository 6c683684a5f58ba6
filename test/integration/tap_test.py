"""tap: what real clients exchange, in a file that any reader of HAR takes; bounded, redacted, and with an end."""
import datetime
import gzip
import json
import os
import subprocess

from client_case import need, proxy_env
from harness import ProxyCase, allow, deny
from origins import reply
from waiting import until

SECRET = "canary"


def answer(body, *fields):
    return "\r\n".join(["HTTP/1.1 200 OK", "Content-Length: %d" % len(body), *fields]).encode() + b"\r\n\r\n" + body


class Tap(ProxyCase):
    def tap(self, **settings):
        self.har = os.path.join(os.environ["TEST_TMPDIR"], "%s-%d.har" % (self.id(), len(os.listdir(os.environ["TEST_TMPDIR"]))))
        settings = {"file": self.har, **({} if "until" in settings else {"duration": "60s"}), **settings}
        self.start(deny(), allow(), filters=[{"egress_policy": {"policy": "web"}}, {"tap": settings},
                                             {"connect_tunnel": {}}, {"forward_router": {}}])

    def entries(self, count=0):
        def read():
            with open(self.har) as f:
                return json.load(f)["log"]["entries"]
        until(lambda: self.status()["exchanges"] >= count, "%d entries" % count)
        return read()

    def status(self):
        (tap,) = json.loads(self.egret.get("/taps")[1])["taps"]
        return tap

    def curl(self, *words):
        need("curl")
        return subprocess.run(["curl", "-sS", "-f", "--max-time", "60", *words], env=proxy_env(self.egret.url), check=True,
                              stdout=subprocess.PIPE, timeout=120).stdout

    def test_what_curl_and_an_origin_say_is_written(self):
        self.tap(max_content_bytes=1000)
        page = b"some text " * 50
        origin = self.origin(reply(answer(gzip.compress(page), "Content-Type: text/plain", "Content-Encoding: gzip")))
        self.curl("-d", "up=load", self.url(origin, "/path?a=1"), "-o", "/dev/null")
        (entry,) = self.entries(1)
        request, response = entry["request"], entry["response"]
        self.assertEqual((request["method"], request["url"]),
                         ("POST", "http://origin.test:%d/path?a=redacted" % origin.port))
        self.assertEqual(request["postData"]["text"], "up=load")
        self.assertEqual((response["status"], response["content"]["text"]), (200, page.decode()))
        self.assertEqual(entry["serverIPAddress"], "127.0.0.1")
        self.assertEqual(entry["_request_id"], self.egret.one_line(method="POST")["request_id"])
        with open(self.har) as f:
            log = json.load(f)["log"]
        self.assertEqual((log["version"], log["creator"]["name"]), ("1.2", "egret"))
        self.assertEqual(os.stat(self.har).st_mode & 0o777, 0o600)

    def test_S01_nothing_of_what_may_be_a_secret_is_written(self):
        self.tap(redact_headers=["X-Own"])
        origin = self.origin(reply(answer(b"canary", "Set-Cookie: canary")))
        client = self.client()
        client.get(self.url(origin, "/?token=canary"), "Authorization: canary", "Cookie: a=canary", "X-Own: canary",
                   "Proxy-Authorization: Basic canary")
        self.entries(1)
        with open(self.har) as f:
            self.assertNotIn(SECRET, f.read())

    def test_bodies_pass_byte_for_byte(self):
        self.tap(max_content_bytes=100)
        data = os.urandom(300000)
        origin = self.origin(reply(answer(data)))
        client = self.client()
        for _ in range(3):
            response = client.get(self.url(origin))
            self.assert_ok(response, data)
            self.assertEqual(response.header("content-length"), str(len(data)))
        self.assertEqual([e["response"]["content"]["size"] for e in self.entries(3)], [len(data)] * 3)
        self.assertLess(os.path.getsize(self.har), 10000)

    def test_the_admin_and_the_log_are_loud_about_it(self):
        self.tap(max_exchanges=2)
        self.assertIn("warning: http: tap: what clients exchange is captured to " + self.har, self.egret.stderr())
        self.assertEqual((self.status()["state"], self.status()["file"]), ("open", self.har))
        self.assertEqual(self.egret.metric("egret_taps_open"), 1)
        self.assertEqual(json.loads(self.egret.get("/server_info")[1])["taps_open"], 1)
        origin = self.origin()
        for _ in range(4):
            self.assert_ok(self.client().get(self.url(origin)))
        until(lambda: self.status()["state"] == "full", "the tap to be full")
        self.assertEqual(len(self.entries(2)), 2)
        self.assertEqual(self.egret.metric("egret_taps_open"), 0)
        self.assertEqual(self.egret.metric("egret_tap_exchanges_total", result="written"), 2)

    def test_it_ends_at_its_time(self):
        soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=3)
        self.tap(until=soon.strftime("%Y-%m-%dT%H:%M:%SZ"))
        until(lambda: self.status()["state"] == "over", "the end of the tap")
        self.assert_ok(self.client().get(self.url(self.origin())))
        if os.path.exists(self.har):
            self.assertEqual(self.entries(), [])

    def test_a_file_that_is_there_is_left_alone_and_traffic_passes(self):
        mine = os.path.join(os.environ["TEST_TMPDIR"], "mine")
        with open(mine, "w") as f:
            f.write("mine")
        self.tap(file=mine)
        self.assert_ok(self.client().get(self.url(self.origin())))
        self.assertEqual((self.status()["state"], self.status()["why"]), ("failed", "it is there already; move it away"))
        with open(mine) as f:
            self.assertEqual(f.read(), "mine")

    def test_what_is_denied_or_broken_off_is_written_too(self):
        self.tap()
        client = self.client()
        origin = self.origin(lambda connection: (connection.read_request(), connection.reset()))
        self.assertEqual(client.get(self.url(origin)).status, 502)
        (entry,) = self.entries(1)
        self.assertEqual(entry["response"]["status"], 502)
