"""Rows H01-H12 and H18-H21 of the catalogue: what a client may not send, and what becomes of what it may.

Unless a row says otherwise: refused with the status of its own detail, the connection closed, nothing reaches the
origin, one log line."""
from harness import HOSTS, SANITIZED, ProxyCase, allow, proxy_config


class RequestRows(ProxyCase):
    def setUp(self):
        self.start()
        self.recorder = self.origin()
        self.authority = "origin.test:%d" % self.recorder.port

    def request(self, *lines, method="POST", target=None, version="HTTP/1.1", body=b"", host=True):
        """Bytes of a request; `lines` may be bytes or text."""
        target = target or "http://%s/" % self.authority
        head = ["%s %s %s" % (method, target, version)] + (["Host: " + self.authority] if host else []) + list(lines)
        return b"\r\n".join(x if isinstance(x, bytes) else x.encode("latin-1") for x in head) + b"\r\n\r\n" + body

    def assert_rejected(self, data, detail, closes=True):
        before = len(self.recorder.connections)
        client = self.client()
        self.assert_refused(client, client.ask(data), detail, closes=closes)
        self.assertEqual(len(self.recorder.connections), before)

    def assert_forwarded(self, data):
        """The request reaches the origin; gives it as the origin saw it."""
        before = len(self.recorder.requests)
        client = self.client()
        response = client.ask(data)
        self.assert_ok(response)
        self.egret.one_line(source=client.local, status=200)
        self.assertEqual(len(self.recorder.requests), before + 1)
        return self.recorder.requests[-1]

    def check(self, cases):
        """cases: [(bytes, detail)]"""
        for data, detail in cases:
            with self.subTest(data[:200]):
                self.assert_rejected(data, detail)


class Framing(RequestRows):
    def test_H01_content_length_with_transfer_encoding_is_refused(self):
        smuggled = b"0\r\n\r\nGET http://%s/smuggled HTTP/1.1\r\nHost: x\r\n\r\n" % self.authority.encode()
        chunked, length = "Transfer-Encoding: chunked", "Content-Length: 5"
        self.check([
            (self.request(length, chunked, body=smuggled), "http1.conflicting_framing"),
            (self.request(chunked, length, body=smuggled), "http1.conflicting_framing"),
            (self.request("content-length: 0", "TRANSFER-ENCODING: Chunked", body=smuggled),
             "http1.conflicting_framing"),
        ])
        self.assertEqual(self.recorder.requests, [])

    def test_H02_repeated_content_length_is_refused(self):
        self.check([
            (self.request("Content-Length: 3", "Content-Length: 3", body=b"abc"), "http1.invalid_content_length"),
            (self.request("Content-Length: 3", "Content-Length: 4", body=b"abcd"), "http1.invalid_content_length"),
            (self.request("Content-Length: 3, 3", body=b"abc"), "http1.invalid_content_length"),
            (self.request("Content-Length: 3,4", body=b"abcd"), "http1.invalid_content_length"),
        ])

    def test_H03_content_length_that_is_not_plain_digits_is_refused(self):
        for value in ("+5", "-0", "-5", "0x5", "5_0", "", "5 5", "5;", "5.0", "five", "18446744073709551616",
                      "99999999999999999999999", "\xb2"):
            with self.subTest(value):
                self.assert_rejected(self.request("Content-Length: " + value, body=b"hello"),
                                     "http1.invalid_content_length")
        # Optional white space around a value is no part of it (RFC 9110 5.5).
        self.assertEqual(self.assert_forwarded(self.request("Content-Length: \t 5 ", body=b"hello")).body, b"hello")

    def test_H04_transfer_encoding_in_disguise_is_refused(self):
        body = b"5\r\nhello\r\n0\r\n\r\n"
        self.check([
            (self.request("Transfer-Encoding: xchunked", body=body), "http1.unknown_transfer_coding"),
            (self.request("Transfer-Encoding: gzip, chunked", body=body), "http1.unknown_transfer_coding"),
            (self.request("Transfer-Encoding: identity", body=body), "http1.unknown_transfer_coding"),
            (self.request("Transfer-Encoding: chunked, identity", body=body), "http1.unknown_transfer_coding"),
            (self.request("Transfer-Encoding: chunked, chunked", body=body), "http1.invalid_transfer_encoding"),
            (self.request("Transfer-Encoding: chunked", "Transfer-Encoding: chunked", body=body),
             "http1.invalid_transfer_encoding"),
            (self.request("Transfer-Encoding: chunked", "Transfer-Encoding: identity", body=body),
             "http1.unknown_transfer_coding"),
            (self.request("Transfer-Encoding:", body=body), "http1.invalid_transfer_encoding"),
            (self.request("Transfer-Encoding: \x0bchunked", body=body), "http1.invalid_character"),
            (self.request("Transfer-Encoding: \xa0chunked", body=body), "http1.unknown_transfer_coding"),
            (self.request("Transfer-Encoding: \"chunked\"", body=body), "http1.unknown_transfer_coding"),
            (self.request("Transfer-Encoding : chunked", body=body), "http1.space_before_colon"),
            (self.request("Transfer-Encoding\t: chunked", body=body), "http1.space_before_colon"),
            (self.request("X: y", " Transfer-Encoding: chunked", body=body), "http1.folded_field"),
            (self.request("Transfer-Encoding: chunked", version="HTTP/1.0", body=body),
             "http1.invalid_transfer_encoding"),
        ])

    def test_H05_a_malformed_chunk_size_ends_the_upload_without_completing_it(self):
        for size in (b"0x10", b"+a", b"1_0", b"", b"-1", b"g", b" 5", b"5 5", b"10000000000000000",
                     b"fffffffffffffffff"):
            with self.subTest(size):
                client = self.client()
                response = client.ask(self.request("Transfer-Encoding: chunked",
                                                   body=b"3\r\nabc\r\n" + size + b"\r\nhello\r\n0\r\n\r\n"))
                self.assert_refused(client, response, "http1.invalid_chunk", closes=True)
                for connection in self.recorder.connections:
                    self.assertNotIn(b"\r\n0\r\n\r\n", connection.received)
                    self.assertNotIn(b"hello", connection.received)

    def test_H06_chunk_extensions_are_dropped_or_refused(self):
        def chunked(*lines):
            return self.request("Transfer-Encoding: chunked", body=b"".join(lines))
        seen = self.assert_forwarded(chunked(b"5;a=b\r\nhello\r\n", b"0;last\r\n\r\n"))
        self.assertEqual((seen.body, b";" in seen.raw_body), (b"hello", False))
        for data in (chunked(b"5;a=b\nhello\r\n0\r\n\r\n"), chunked(b"5;a=\"\r\"\r\nhello\r\n0\r\n\r\n"),
                     chunked(b"5;a=\"\nhello\"\r\nhello\r\n0\r\n\r\n"), chunked(b"5\nhello\r\n0\r\n\r\n"),
                     chunked(b"5\r\nhello\n0\r\n\r\n"), chunked(b"5\r\nhelloo\r\n0\r\n\r\n")):
            with self.subTest(data[-30:]):
                client = self.client()
                self.assert_refused(client, client.ask(data), "http1.invalid_chunk", closes=True)
        client = self.client()
        response = client.ask(chunked(b"5;" + b"x" * (1 << 20) + b"\r\nhello\r\n0\r\n\r\n"))
        if response.status != 200:
            self.assert_refused(client, response, "http1.invalid_chunk")

    def test_H06_one_byte_chunks_are_bounded_in_memory(self):
        before = self.egret.resident_kib()
        seen = self.assert_forwarded(self.request("Transfer-Encoding: chunked",
                                                  body=b"1\r\nx\r\n" * (1 << 20) + b"0\r\n\r\n"))
        self.assertEqual(len(seen.body), 1 << 20)
        grown = self.egret.resident_kib() - before
        print("resident memory grew by %d KiB" % grown)
        if not SANITIZED:
            self.assertLess(grown, 32 << 10)

    def test_H19_forbidden_trailers_are_never_merged(self):
        seen = self.assert_forwarded(self.request(
            "Transfer-Encoding: chunked", "Trailer: X-Sum",
            body=b"5\r\nhello\r\n0\r\nContent-Length: 1\r\nHost: evil.test\r\nTransfer-Encoding: chunked\r\n"
                 b"Authorization: Basic eA==\r\nProxy-Authorization: Basic eA==\r\nX-Sum: 1\r\n\r\n"))
        self.assertEqual(seen.all("host"), [self.authority])
        for name in ("content-length", "authorization", "proxy-authorization"):
            self.assertIsNone(seen.header(name))
        self.assertLessEqual({name for name, _ in seen.trailers}, {"x-sum"})


class Heads(RequestRows):
    def test_H07_bare_line_feeds_and_carriage_returns_are_refused(self):
        good = self.request(method="GET")
        self.check([
            (good.replace(b"\r\n", b"\n"), "http1.invalid_character"),
            (good.replace(b"\r\nHost", b"\nHost"), "http1.invalid_character"),
            (self.request(b"X: a\nInjected: b", method="GET"), "http1.invalid_character"),
            (self.request(b"X: a\rInjected: b", method="GET"), "http1.invalid_character"),
            (self.request(b"X: a\r", method="GET"), "http1.invalid_character"),
            (good[:-2] + b"\n", "http1.invalid_character"),
        ])

    def test_H08_control_characters_and_odd_field_lines_are_refused(self):
        self.check([
            (self.request(b"X: a\0b", method="GET"), "http1.invalid_character"),
            (self.request(b"X: a\x01b", method="GET"), "http1.invalid_character"),
            (self.request(b"X: a\x7fb", method="GET"), "http1.invalid_character"),
            (self.request(b"X\0: a", method="GET"), "http1.invalid_character"),
            (self.request(b"X: a", b" folded", method="GET"), "http1.folded_field"),
            (self.request(b"X: a", b"\tfolded", method="GET"), "http1.folded_field"),
            (self.request(b": empty", method="GET"), "http1.malformed"),
            (self.request(b"no colon", method="GET"), "http1.malformed"),
            (self.request(b"X(: a", method="GET"), "http1.malformed"),
            (self.request(b"X\xe9: a", method="GET"), "http1.malformed"),
            (self.request(b"X : a", method="GET"), "http1.space_before_colon"),
            (self.request(b"X\t: a", method="GET"), "http1.space_before_colon"),
            (b" " + self.request(method="GET"), "http1.malformed"),
        ])

    def test_H10_host_must_be_there_once_and_the_target_wins(self):
        def ask(*hosts, version="HTTP/1.1"):
            return self.request(*["Host: " + h for h in hosts], method="GET", host=False, version=version)
        self.check([
            (ask(), "http1.invalid_host"),
            (ask(self.authority, self.authority), "http1.invalid_host"),
            (ask(self.authority, "second.test"), "http1.invalid_host"),
            (ask("a b"), "http1.invalid_host"),
            (ask("origin.test:99999"), "http1.invalid_host"),
            (ask("user@" + self.authority), "http1.invalid_host"),
        ])
        # The authority of the target is what policy judges and the origin is told (RFC 9112 3.2.2).
        for other in (ask("second.test"), ask("denied.test"), ask("origin.test:1"), ask(self.authority.upper()),
                      ask(version="HTTP/1.0")):
            with self.subTest(other):
                self.assertEqual(self.assert_forwarded(other).all("host"), [self.authority])

    def test_H11_versions_and_methods(self):
        def first(line):
            return line.encode() + b"\r\nHost: %s\r\n\r\n" % self.authority.encode()
        url = "http://%s/" % self.authority
        self.check([
            (first("GET %s HTTP/1.9" % url), "http1.unsupported_version"),
            (first("GET %s HTTP/2.0" % url), "http1.unsupported_version"),
            (first("GET %s HTTP/0.9" % url), "http1.unsupported_version"),
            (first("GET %s" % url), "http1.malformed"),
            (first("GET %s HTTP/1.1 junk" % url), "http1.malformed"),
            (first("GET %s HTTP/1.10" % url), "http1.malformed"),
            (first("GET %s http/1.1" % url), "http1.malformed"),
            (first("GET %s HTTP/1" % url), "http1.malformed"),
            (first("G@T %s HTTP/1.1" % url), "http1.malformed"),
            (first("GET\t%s HTTP/1.1" % url), "http1.malformed"),
            (first("GET  %s HTTP/1.1" % url), "http1.malformed"),
            (first("get %s HTTP/1.1" % url), "http1.unknown_method"),
            (first("FROBNICATE %s HTTP/1.1" % url), "http1.unknown_method"),
            (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100), "http1.invalid_character"),
        ])

    def test_H12_pipelined_requests_are_judged_and_answered_one_by_one(self):
        data = b""
        for n in range(100):
            name = "denied.test" if n % 2 else "origin.test"
            data += b"GET http://%s:%d/%d HTTP/1.1\r\nHost: %s:%d\r\n\r\n" % (
                name.encode(), self.recorder.port, n, name.encode(), self.recorder.port)
        client = self.client()
        client.send(data)
        statuses = [client.read_response().status for _ in range(100)]
        self.assertEqual(statuses, [200, 403] * 50)
        self.assertEqual([r.target for r in self.recorder.requests], ["/%d" % n for n in range(0, 100, 2)])
        lines = self.egret.log_lines(100, source=client.local)
        self.assertEqual([(line["path"], line["status"]) for line in lines],
                         [("/%d" % n, 403 if n % 2 else 200) for n in range(100)])

    def test_H18_limits_of_a_head_are_exact(self):
        def largest(make, low, high):
            """The largest n whose request is forwarded."""
            while low < high:
                middle = (low + high + 1) // 2
                response = self.client().ask(make(middle))
                low, high = (middle, high) if response.status == 200 else (low, middle - 1)
            return low
        for what, make, detail in (
            ("one field", lambda n: self.request("X: " + "a" * n, method="GET"), "http1.headers_too_large"),
            ("fields", lambda n: self.request(*["X: a"] * n, method="GET"), "http1.too_many_fields"),
            ("target", lambda n: self.request(method="GET", target="http://%s/%s" % (self.authority, "a" * n)),
             "http1.uri_too_long"),
        ):
            with self.subTest(what):
                limit = largest(make, 1, 200000)
                print("%s: the limit is at %d" % (what, limit))
                self.assertLess(limit, 199999)
                self.assert_rejected(make(limit + 1), detail)
                self.assert_forwarded(make(limit))

    def test_H18_limits_of_the_config_are_kept(self):
        config = proxy_config([allow()])
        config["listeners"][0]["filters"][0]["http_connection"]["limits"] = {"header_bytes": 1024, "header_count": 10}
        self.egret.stop()
        self.start_config(config, HOSTS)
        room = 1024 - len(self.request("X: ", method="GET"))
        self.assert_forwarded(self.request("X: " + "a" * room, method="GET"))
        self.assert_rejected(self.request("X: " + "a" * (room + 1), method="GET"), "http1.headers_too_large")
        self.assert_forwarded(self.request(*["X: a"] * 9, method="GET"))  # and Host
        self.assert_rejected(self.request(*["X: a"] * 10, method="GET"), "http1.too_many_fields")

    def test_H18_a_target_of_64_kib_is_414(self):
        self.assert_rejected(self.request(method="GET", target="http://%s/%s" % (self.authority, "a" * 65536)),
                             "http1.uri_too_long")

    def test_H20_connection_removes_what_is_hop_by_hop_and_nothing_else(self):
        seen = self.assert_forwarded(self.request("Connection: X-Hop, close", "X-Hop: 1", "X-Stay: 1", "Keep-Alive: 5",
                                                  "TE: gzip", method="GET"))
        self.assertEqual([seen.header(n) for n in ("x-hop", "x-stay", "keep-alive", "te")], [None, "1", None, None])
        for name in ("Host", "Content-Length", "Transfer-Encoding", "Cookie", "Authorization", "Via", "Forwarded"):
            with self.subTest(name):
                self.assert_rejected(self.request("Connection: " + name, "Cookie: a=b", method="GET"),
                                     "http1.invalid_connection_field", closes=False)

    def test_H21_an_upgrade_to_h2c_is_stripped(self):
        seen = self.assert_forwarded(self.request("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c",
                                                  "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA", method="GET"))
        self.assertEqual([seen.header(n) for n in ("upgrade", "http2-settings")], [None, None])
        seen = self.assert_forwarded(self.request("Connection: Upgrade", "Upgrade: h2c, gopher", method="GET"))
        self.assertNotIn("h2c", seen.header("upgrade") or "")
