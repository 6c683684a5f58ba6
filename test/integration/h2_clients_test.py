"""Real clients that speak HTTP/2 to the proxy at once, in clear: curl, nghttp, h2load and python3-h2.

None of them has an option for such a proxy: they are pointed at it, and the target is their :authority."""
import hashlib
import os
import socket

from client_case import TEXT, Clients, need
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2 import events
from origins import ScriptedOrigin
from waiting import SECONDS


class Http2Clients(Clients):
    def setUp(self):
        super().setUp()
        self.at_proxy = "http://%s:%d" % self.egret.address
        self.target = "origin.test:%d" % self.nginx.port

    def assert_over_http2(self, count=1, **fields):
        lines = self.assert_logged(self.nginx.port, count=count, kind="request", **fields)
        self.assertEqual({line["protocol"] for line in lines}, {"HTTP/2"})
        return lines


class Curl(Http2Clients):
    """One request a run: the second one on a connection with prior knowledge fails in curl 7.88 itself."""

    def setUp(self):
        need("curl")
        super().setUp()

    def curl(self, *words, **more):
        return self.run_client("curl", "-sS", "--max-time", "60", "--http2-prior-knowledge", "--noproxy", "*",
                               "--connect-to", "%s:%s:%d" % (self.target, *self.egret.address), *words, **more)

    def test_a_request(self):
        self.assertEqual(self.curl("-w", "%{http_version}", self.http + "/hello.txt"), TEXT + b"2")
        self.assert_over_http2()

    def test_large_downloads_and_uploads_are_whole(self):
        digest = hashlib.sha256(self.big).digest()
        self.assertEqual(hashlib.sha256(self.curl(self.http + "/big.bin")).digest(), digest)
        for n, extra in enumerate(((), ("-H", "Expect:"), ("-H", "Expect: 100-continue"))):
            self.curl("-f", "-T", os.path.join(self.nginx.root, "big.bin"), *extra, self.http + "/put/h2-%d" % n)
            with open(self.nginx.folder + "/put/h2-%d" % n, "rb") as f:
                self.assertEqual(hashlib.sha256(f.read()).digest(), digest)

    def test_HEAD_ranges_and_conditions(self):
        self.assertEqual(self.curl("-r", "6-9", self.http + "/hello.txt"), b"from")
        same = os.path.join(self.nginx.root, "hello.txt")
        self.assertEqual(self.curl("-w", "%{http_code}", "-z", same, self.http + "/hello.txt"), b"304")
        self.assertEqual(self.curl("-I", "-o", "/dev/null", "-w", "%{http_code}", self.http + "/hello.txt"), b"200")

    def test_a_denial_can_be_read(self):
        out = self.run_client("curl", "-sS", "--max-time", "60", "--http2-prior-knowledge", "--noproxy", "*",
                              "-w", "%{http_code}", "-H", "Host: denied.test", self.at_proxy + "/")
        self.assertTrue(out.endswith(b"403"), out)
        self.assertIn(b"closed", out)


class Nghttp(Http2Clients):
    def setUp(self):
        need("nghttp")
        super().setUp()

    def nghttp(self, *words, **more):
        return self.run_client("nghttp", "--timeout=60", "-H", ":authority: " + self.target, *words, **more)

    def test_a_request(self):
        self.assertEqual(self.nghttp(self.at_proxy + "/hello.txt"), TEXT)
        self.assert_over_http2()

    def test_requests_with_the_smallest_windows_and_padding(self):
        out = self.nghttp("--window-bits=1", "--connection-window-bits=1", "--padding=100", "-m", "20",
                          self.at_proxy + "/hello.txt")
        self.assertEqual(sorted(out), sorted(TEXT * 20))  # the responses come byte by byte, side by side
        self.assertEqual(len({line["source"] for line in self.assert_over_http2(20)}), 1)

    def test_a_large_response(self):
        self.assertEqual(hashlib.sha256(self.nghttp(self.at_proxy + "/big.bin")).digest(),
                         hashlib.sha256(self.big).digest())

    def test_an_upload_with_trailers(self):
        self.nghttp("-d", os.path.join(self.nginx.root, "hello.txt"), "--trailer", "x-sum: 1", "-H", ":method: PUT",
                    self.at_proxy + "/put/nghttp")
        with open(self.nginx.folder + "/put/nghttp", "rb") as f:
            self.assertEqual(f.read(), TEXT)

    def test_heads_in_CONTINUATION(self):
        origin = self.origin()
        self.target = "origin.test:%d" % origin.port
        self.assertEqual(self.nghttp("--continuation", self.at_proxy + "/"), b"ok")
        self.assertGreater(len(origin.requests[0].head), 16384)


class H2load(Http2Clients):
    def test_two_thousand_requests_side_by_side(self):
        need("h2load")
        out = self.run_client("h2load", "-n2000", "-c8", "-m32", "-H", ":authority: " + self.target,
                              self.at_proxy + "/hello.txt").decode()
        self.assertRegex(out, "2000 succeeded, 0 failed, 0 errored", out)
        self.assert_over_http2(2000)


class PythonH2(Http2Clients):
    """python3-h2: a state machine that takes nothing that is not by the book."""

    def ask(self, fields, pieces, trailers=None):
        """(status, fields, body, trailers) of the response."""
        connection = H2Connection(H2Configuration(header_encoding="utf-8"))
        sock = socket.create_connection(self.egret.address, SECONDS)
        self.addCleanup(sock.close)
        connection.initiate_connection()
        connection.send_headers(1, fields, end_stream=not pieces and not trailers)
        for n, piece in enumerate(pieces):
            connection.send_data(1, piece, end_stream=not trailers and n == len(pieces) - 1)
        if trailers:
            connection.send_headers(1, trailers, end_stream=True)
        head, body, tail = None, b"", None
        while True:
            sock.sendall(connection.data_to_send())
            received = sock.recv(65536)
            self.assertTrue(received, "the connection ended")
            for event in connection.receive_data(received):
                self.assertNotIsInstance(event, (events.StreamReset, events.ConnectionTerminated))
                if isinstance(event, events.ResponseReceived):
                    head = event.headers
                elif isinstance(event, events.DataReceived):
                    body += event.data
                    connection.acknowledge_received_data(event.flow_controlled_length, 1)
                elif isinstance(event, events.TrailersReceived):
                    tail = event.headers
                elif isinstance(event, events.StreamEnded):
                    return int(dict(head)[":status"]), head, body, tail

    def test_a_POST_with_trailers_both_ways(self):
        def script(connection):
            connection.read_request()
            connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x-status\r\n\r\n"
                            b"5\r\nreply\r\n0\r\nx-status: 0\r\n\r\n")
            connection.wait_end()
        origin = ScriptedOrigin(script)
        self.addCleanup(origin.close)
        status, _, body, tail = self.ask(
            [(":method", "POST"), (":scheme", "http"), (":authority", "origin.test:%d" % origin.port),
             (":path", "/post"), ("te", "trailers"), ("trailer", "x-sum")], [b"some ", b"body"], [("x-sum", "9")])
        self.assertEqual((status, body, [tuple(t) for t in tail]), (200, b"reply", [("x-status", "0")]))
        self.assertEqual((origin.requests[0].body, origin.requests[0].trailers), (b"some body", [("x-sum", "9")]))

    def test_a_refusal_before_the_body(self):
        status, fields, body, _ = self.ask(
            [(":method", "POST"), (":scheme", "http"), (":authority", "denied.test"), (":path", "/")],
            [b"x" * 1000] * 20)
        self.assertEqual(status, 403)
        self.assertIn(b"closed", body)
