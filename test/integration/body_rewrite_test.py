"""body_rewrite between real clients and origins: what is changed arrives changed, and everything else as it was."""
import gzip
import hashlib
import re
import subprocess
import threading

from client_case import need, proxy_env
from harness import SANITIZED, ProxyCase, allow, deny
from origins import reply, reply_and_close

PAGE = b"<html><head><title>old</title></head><body>old </body></html>\n"
CHANGED = b"<html><head><title>new</title><x></head><body>new </body></html>\n"
CHANGES = {"response": [{"replace": {"text": "old", "with": "new"}},
                        {"insert": {"at": "HEAD_END", "text": "<x>"}}]}
PATTERN = {"response": [{"replace": {"pattern": "o(l)d", "with": "new\\1y"}}]}
MIB = 1 << 20


def answer(body, *fields, status="200 OK", content_type="text/html"):
    head = ["HTTP/1.1 " + status, "Content-Type: " + content_type, "Content-Length: %d" % len(body), *fields]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def chunked(body, trailer=b""):
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(body[at:at + 5]), body[at:at + 5]) for at in range(0, len(body), 5))
    return b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n%s0\r\n%s\r\n" % (chunks, trailer)


class Rewrites(ProxyCase):
    def rewrite(self, settings=CHANGES, **more):
        self.start(deny(), allow(), filters=[{"egress_policy": {"policy": "web"}}, {"connect_tunnel": {}},
                                             {"body_rewrite": {**settings, **more}}, {"forward_router": {}}])

    def outcomes(self):
        series = self.egret.metrics().items()
        prefix = 'egret_body_rewrites_total{outcome="'
        return {name[len(prefix):-2]: value for name, value in series if name.startswith(prefix) and value}

    def curl(self, *words):
        need("curl")
        run = subprocess.run(["curl", "-sS", "-f", "--max-time", "60", *words], env=proxy_env(self.egret.url),
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
        self.assertEqual(run.returncode, 0, run.stderr)
        return run.stdout


class Responses(Rewrites):
    def test_curl_reads_the_changed_page_in_whatever_coding_it_came(self):
        self.rewrite()
        origin = self.origin(reply(answer(gzip.compress(PAGE), "Content-Encoding: gzip", 'ETag: "1"')))
        for words in ((), ("--http1.0",), ("--compressed",)):
            self.assertEqual(self.curl(*words, self.url(origin)), CHANGED)
        self.assertEqual(self.curl("-I", self.url(self.origin(reply(answer(b""))))).count(b"200"), 1)
        self.assertEqual({r.header("accept-encoding") for r in origin.requests}, {None, "deflate, gzip"})
        self.assertEqual(self.outcomes(), {"applied": 3})

    def test_over_http2_the_same(self):
        self.rewrite()
        origin = self.origin(reply(chunked(PAGE)))
        got = self.curl("--http2-prior-knowledge", "--noproxy", "*", "--connect-to",
                        "origin.test:%d:%s:%d" % (origin.port, *self.egret.address), self.url(origin))
        self.assertEqual(got, CHANGED)

    def test_chunks_and_trailers(self):
        self.rewrite()
        origin = self.origin(reply(chunked(PAGE, b"X-Sum: 1\r\nContent-Digest: sha-256=:x:\r\n")))
        client = self.client()
        for _ in range(2):
            response = client.get(self.url(origin))
            self.assert_ok(response, CHANGED)
            self.assertIn(b"X-Sum: 1", response.raw_body)
            self.assertNotIn(b"Digest", response.raw_body)
        self.assertEqual(len(origin.connections), 1)

    def test_inside_a_tunnel_the_same(self):
        inner = [{"egress_policy": {}}, {"body_rewrite": CHANGES}, {"forward_router": {}}]
        self.start_config({
            "listeners": [
                {"name": "egress", "address": "127.0.0.1:0", "filters": [{"http_connection": {"filters": [
                    {"egress_policy": {"policy": "web"}}, {"connect_tunnel": {"listener": "tunnels"}},
                    {"forward_router": {}}]}}]},
                {"name": "tunnels", "internal": {}, "listener_filters": [{"tls_inspector": {}}, {"egress_policy": {}}],
                 "filter_chains": [{"name": "clear", "match": {"verdict": "INSPECT", "protocol": "HTTP"},
                                    "filters": [{"http_connection": {"target": "TUNNEL", "filters": inner}}]}]}],
            "policies": [{"name": "web", "rules": [allow()]}]}, {"origin.test": ["127.0.0.1"]})
        origin = self.origin(reply(answer(PAGE)))
        self.assertEqual(self.curl("-p", self.url(origin)), CHANGED)

    def test_a_pattern_gets_the_whole_and_tells_the_new_length(self):
        self.rewrite(PATTERN)
        origin = self.origin(reply(chunked(PAGE)))
        response = self.client().get(self.url(origin))
        self.assert_ok(response, PAGE.replace(b"old", b"newly"))
        self.assertEqual(response.header("content-length"), str(len(response.body)))

    def test_what_holds_nothing_to_change_arrives_byte_for_byte(self):
        body = b"".join(b"line %d is as it was </hea\n" % n for n in range(100000))
        for settings in (CHANGES, {**PATTERN, "max_bytes": 16 * MIB}, PATTERN):
            self.rewrite(settings)
            for coded in (answer(body), answer(gzip.compress(body), "Content-Encoding: gzip")):
                client = self.client()
                response = client.get(self.url(self.origin(reply(coded))))
                got = response.body
                if response.header("content-encoding") == "gzip":
                    got = gzip.decompress(got)
                    self.assertEqual(coded.split(b"\r\n\r\n", 1)[1], response.body)
                self.assertEqual(hashlib.sha256(got).digest(), hashlib.sha256(body).digest())

    def test_what_cannot_be_changed_passes_or_is_refused(self):
        cases = {"coding": answer(PAGE, "Content-Encoding: br"),
                 "partial": answer(PAGE, "Content-Range: bytes 0-62/100", status="206 Partial Content"),
                 "no_transform": answer(PAGE, "Cache-Control: no-transform")}
        self.rewrite()
        for outcome, bytes_ in cases.items():
            response = self.client().get(self.url(self.origin(reply(bytes_))))
            self.assertEqual((response.body, response.header("content-length")), (PAGE, str(len(PAGE))), outcome)
        self.assertEqual(self.outcomes(), {outcome: 1 for outcome in cases})
        self.rewrite(unchangeable="REFUSE")
        for outcome, bytes_ in cases.items():
            client = self.client()
            response = client.get(self.url(self.origin(reply(bytes_))), "Range: bytes=0-62")
            self.assertEqual(response.status, 502, outcome)
            self.assertNotIn(b"<html>", response.body)
            self.assertEqual(self.egret.one_line(source=client.local)["detail"], "upstream_unchangeable")

    def test_a_refusal_of_our_own_stays_as_it_is(self):
        self.rewrite({"response": [{"insert": {"at": "BEGIN", "text": "changed"}}]})
        response = self.client().get("http://refused.test:1/")
        self.assertEqual(response.status, 502)
        self.assertNotIn("changed", response.text())

    def test_an_origin_that_ends_inside_is_told_of(self):
        broken = answer(PAGE * 2)[:-len(PAGE)]
        self.rewrite()
        client = self.client()
        response = client.get(self.url(self.origin(reply_and_close(broken))))
        self.assertNotIn(b"0\r\n\r\n", response.raw_body)
        self.assertEqual(self.egret.one_line(source=client.local)["detail"], "upstream_truncated")
        self.rewrite(PATTERN)
        client = self.client()
        response = client.get(self.url(self.origin(reply_and_close(broken))))
        self.assertEqual(response.status, 502)
        self.assertEqual(self.egret.one_line(source=client.local)["detail"], "upstream_truncated")

    def test_a_client_that_leaves_ends_it(self):
        for settings in (CHANGES, PATTERN):
            self.rewrite(settings)
            started = threading.Event()

            def trickle(connection):
                connection.read_request()
                connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 100\r\n\r\nold")
                started.set()
                connection.wait_end()
            origin = self.origin(trickle)
            client = self.client()
            client.send(b"GET %s HTTP/1.1\r\nHost: origin.test:%d\r\n\r\n" % (self.url(origin).encode(), origin.port))
            self.assertTrue(started.wait(20))
            client.reset()
            self.assertEqual(self.egret.one_line(source=client.local)["detail"], "client_gone")
            origin.wait_ended()

    def peak_kib(self):
        with open("/proc/%d/status" % self.egret.pid) as f:
            return int(re.search(r"VmHWM:\s+(\d+)", f.read()).group(1))

    def test_a_large_page_takes_little_memory(self):
        need("curl")
        self.rewrite({"response": [{"replace": {"text": "old", "with": "newer"}},
                                   {"insert": {"at": "BODY_END", "text": "!"}}]})
        page = b"".join(b"%d: an old line of a page that goes on and on\n" % n for n in range(MIB))
        before = self.peak_kib()
        for body, fields in ((page, ()), (gzip.compress(page, 1), ("Content-Encoding: gzip",))):
            origin = self.origin(reply(answer(body, *fields)))
            with open(self.egret.path("got"), "wb") as f:
                subprocess.run(["curl", "-sS", "-f", "--max-time", "100", self.url(origin)], stdout=f, check=True,
                               env=proxy_env(self.egret.url), timeout=120)
            with open(self.egret.path("got"), "rb") as f:
                self.assertEqual(hashlib.sha256(f.read()).digest(),
                                 hashlib.sha256(page.replace(b"old", b"newer")).digest())
        if not SANITIZED:
            self.assertLess(self.peak_kib() - before, 16 * 1024)

    def test_P14_a_bomb_takes_no_memory_and_chunks_hide_nothing(self):
        """What would unfold to 256 MiB: no more than max_bytes of it is, and what passes stays folded."""
        bomb = gzip.compress(bytes(256 * MIB), 9)
        found = gzip.compress(b"an " + PAGE)
        for unchangeable, status in (("PASS", 200), ("REFUSE", 502)):
            self.rewrite({**PATTERN, "unchangeable": unchangeable})
            before = self.peak_kib()
            response = self.client().get(self.url(self.origin(reply(answer(bomb, "Content-Encoding: gzip")))))
            self.assertEqual((response.status, response.body == bomb), (status, status == 200))
            self.assertEqual(self.outcomes(), {"too_large": 1})
            if not SANITIZED:
                self.assertLess(self.peak_kib() - before, 16 * 1024)
            coded = chunked(found).replace(b"text/html", b"text/html\r\nContent-Encoding: gzip", 1)
            response = self.client().get(self.url(self.origin(reply(coded))))
            self.assert_ok(response, b"an " + PAGE.replace(b"old", b"newly"))


class Requests(Rewrites):
    def test_an_upload_is_changed(self):
        for operation in ({"text": "old", "with": "new"}, {"pattern": "o.d", "with": "new"}):
            self.rewrite({"request": [{"replace": operation}]})
            origin = self.origin()
            for words in ((), ("-H", "Expect: 100-continue"), ("-H", "Transfer-Encoding: chunked")):
                self.assertEqual(self.curl("-d", '{"way": "old"}', "-H", "Content-Type: application/json", *words,
                                           self.url(origin)), b"ok")
            self.assertEqual([r.body for r in origin.wait_requests(3)], [b'{"way": "new"}'] * 3)
            self.assertEqual({r.header("expect") for r in origin.requests} - {"100-continue"}, {None})

    def test_too_much_of_it_is_refused_or_passes(self):
        body = b"old" * 1000
        head = "POST %s HTTP/1.1\r\nHost: origin.test:%d\r\nContent-Type: text/plain\r\nContent-Length: 3000\r\n\r\n"
        settings = {"request": [{"replace": {"pattern": "old", "with": "new"}}], "max_bytes": 1024}
        for unchangeable, status, seen in (("PASS", 200, [body]), ("REFUSE", 413, [])):
            self.rewrite(settings, unchangeable=unchangeable)
            origin = self.origin()
            response = self.client().ask((head % (self.url(origin), origin.port)).encode() + body)
            self.assertEqual(response.status, status)
            self.assertEqual([r.body for r in origin.requests], seen)
