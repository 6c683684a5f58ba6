"""What HTTP does inside intercepted tunnels, in either version on either side: large content, 100-continue, WebSocket
by Upgrade and by extended CONNECT (RFC 8441), clients that know nothing of proxies. Rows of the catalogue are named."""
import hashlib
import os
import subprocess
import threading
import unittest

from client_case import need
from h2_frames import FrameClient, block, data, open_headers
from h2_origin import Peer
from mitm_case import INSPECTED, MitmCase
from origins import ScriptedOrigin
from raw_client import RawClient
from tls_origin import H2Server
from waiting import SECONDS
from websocket_origin_test import KEY, UPGRADE, Site
from ws import SAMPLE_ACCEPT, ask, switches

VERSIONS = ("http/1.1", "h2")


def echo(connection):
    """Script: gives back each request's content."""
    while (request := connection.read_request()) is not None:
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(request.body), request.body))


def echo_after_continue(connection):
    """Script: the same, and says that it wants the content before it reads any."""
    request = connection.read_head()
    connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
    connection.reader.body_of(request)
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(request.body), request.body))
    connection.wait_end()


def echo_after_continue_h2(connection):
    peer = Peer(connection.sock)
    stream = peer.request()
    peer.send(open_headers(stream.number, block([(":status", "100")])))
    peer.until(lambda: stream.done)
    peer.respond(stream, stream.body)
    peer.to_end()


class Content(MitmCase):
    def echoing(self, version):
        return self.tls_origin(echo, h2=H2Server(lambda _, content: ([(":status", "200")], content, None)),
                               alpn=(version,))

    def post(self, version, origin, content, *fields):
        """(interim statuses, status, content). Where a 100 is expected, no content is sent before it."""
        waits = ("expect", "100-continue") in fields
        if version == "h2":
            client = self.inside_h2(origin)
            stream = self.ask_h2(client, origin, "/", *fields, method="POST", end=False)
            if waits:
                client.until(lambda: client.streams[stream].interim)
            client.send(stream, content, end=True)
            got = client.response(stream)
            client.close()
            return [int(one[":status"]) for one in got.interim], got.status, got.body
        client = self.inside(origin)
        lines = ["%s: %s" % field for field in (*fields, ("content-length", len(content)))]
        client.send("\r\n".join(["POST / HTTP/1.1", "Host: " + self.authority_of(origin), *lines, "", ""]).encode())
        interim = [client.reader.head().status] if waits else []
        client.send(content)  # an origin that echoes has read all of it before it answers
        got = client.read_response("POST")
        client.close()
        return interim + [one.status for one in got.interim], got.status, got.body

    def pairs(self):
        """Each way in which a client's version and an origin's can meet: eagerly they are the same."""
        for how, inner, outer in [("EAGER", one, one) for one in VERSIONS] + \
                                 [("LAZY", one, other) for one in VERSIONS for other in VERSIONS]:
            with self.subTest(how=how, client=inner, origin=outer):
                if self.egret is None or self.how != how:
                    self.how = how
                    self.start_mitm(origin=how)
                yield inner, outer

    def test_large_content_is_whole_both_ways(self):
        content = os.urandom(3 << 20)
        for inner, outer in self.pairs():
            _, status, got = self.post(inner, self.echoing(outer), content)
            self.assertEqual((status, len(got), hashlib.sha256(got).digest()),
                             (200, len(content), hashlib.sha256(content).digest()))

    def test_100_continue_is_the_origins(self):
        for inner, outer in self.pairs():
            origin = self.tls_origin(echo_after_continue, h2=echo_after_continue_h2, alpn=(outer,))
            self.assertEqual(self.post(inner, origin, b"taken", ("expect", "100-continue")), ([100], 200, b"taken"))


def chat(connection):
    """Script: a WebSocket that gives back in capitals what comes, and ends as TLS ends."""
    def close_notify():
        try:
            connection.sock.unwrap()
        except ValueError:  # the test is over, and has ended it
            pass
    connection.fin = close_notify
    switches()(connection)


class WebSocket(MitmCase):
    def site(self, offered=True, alpn=VERSIONS[::-1]):
        site = Site(offered=offered)
        return site, self.tls_origin(chat, h2=site, alpn=alpn)

    def frames(self, origin):
        """HTTP/2 inside, frame by frame."""
        client = FrameClient(None, sock=self.inside(origin, ("h2",)).sock)
        self.addCleanup(client.close)
        client.authority = self.authority_of(origin)
        return client

    def assert_talks(self, client, stream):
        self.assertEqual((stream.status, stream.ended, stream.reset), (200, False, None), stream)
        client.send(data(stream.number, b"\0hi\xff", False))
        client.until(lambda: len(stream.body) >= 4 or stream.done)
        self.assertEqual(stream.body, b"\0HI\xff")
        client.send(data(stream.number))  # its end is the end
        client.until(lambda: stream.done)
        self.assertTrue(stream.ended, stream)

    def test_T17_extended_CONNECT_to_an_origin_that_takes_it(self):
        for how in ("EAGER", "LAZY"):
            with self.subTest(how):
                self.start_mitm(origin=how)
                site, origin = self.site()
                client = self.frames(origin)
                if how == "LAZY":  # nothing is known of the origin yet, and HTTP/1.1 is what always goes
                    warm = self.inside_h2(origin)
                    self.assertEqual(warm.response(self.ask_h2(warm, origin)).status, 200)
                self.assert_talks(client, ask(client, 1, scheme="https"))
                (asked,) = site.connects()
                self.assertEqual((asked[":protocol"], asked[":path"], asked[":authority"]),
                                 ("websocket", "/chat", client.authority))
                self.assertEqual({alpn for alpn, _ in origin.handshakes}, {"h2"})
                line = self.egret.one_line(kind="tunnel", carries="websocket")
                self.assertEqual((line["upstream_protocol"], line["rule"], line["status"]),
                                 ("HTTP/2", "inspected", 200))

    def test_T17_extended_CONNECT_to_an_origin_that_does_not(self):
        for how, alpn in (("EAGER", VERSIONS[::-1]), ("LAZY", VERSIONS[::-1]), ("LAZY", ("http/1.1",))):
            with self.subTest(how=how, alpn=alpn):
                self.start_mitm(origin=how)
                site, origin = self.site(offered=False, alpn=alpn)
                client = self.frames(origin)
                self.assert_talks(client, ask(client, 1, scheme="https"))
                self.assertEqual((site.connects(), origin.requests[0].header("upgrade")), ([], "websocket"))
                line = self.egret.one_line(kind="tunnel", carries="websocket")
                self.assertEqual(line["upstream_protocol"], "HTTP/1.1")

    def test_T17_upgrade_of_a_client_of_HTTP1(self):
        for how in ("EAGER", "LAZY"):
            with self.subTest(how):
                self.start_mitm(origin=how)
                _, origin = self.site()
                client = self.inside(origin)
                response = self.get_inside(client, origin, "/chat", *UPGRADE, KEY)
                self.assertEqual((response.status, response.header("sec-websocket-accept")), (101, SAMPLE_ACCEPT))
                client.send(b"hi")
                self.assertEqual(client.reader.exactly(2), b"HI")

    def test_T17_a_switch_is_a_request_and_policy_sees_it(self):
        self.start_mitm()
        site, origin = self.site()
        client = self.frames(origin)
        stream = ask(client, 1, path="/secret/chat", scheme="https")
        client.finish(1)
        self.assertEqual((stream.status, site.connects()), (403, []))
        self.assertIn("not for you", stream.text())
        plain = self.inside(origin)
        self.assertEqual(self.get_inside(plain, origin, "/secret/chat", *UPGRADE, KEY).status, 403)
        for line in self.egret.log_lines(2, kind="request", path="/secret/chat"):
            self.assertEqual((line["method"], line["decision"], line["rule"]), ("GET", "deny", "secret"))

    def test_T17_M06_a_switch_is_for_the_tunnels_own_name(self):
        self.start_mitm()
        site, origin = self.site()
        client = self.frames(origin)
        client.authority = self.authority_of(origin, "second.test")
        stream = ask(client, 1, scheme="https")
        self.assertEqual((stream.status, site.connects()), (421, []))


class Tunneller(ScriptedOrigin):
    """A port of this machine behind which is a tunnel to the origin: for clients that know no proxy."""

    def __init__(self, egret, authority):
        self.egret, self.authority = egret, authority
        super().__init__(self._pass)

    def _pass(self, connection):
        client = RawClient(self.egret.address)
        assert client.connect(self.authority).status == 200
        back = threading.Thread(target=self._pump, args=(client.sock, connection.sock), daemon=True)
        back.start()
        self._pump(connection.sock, client.sock)
        back.join(SECONDS)
        client.close()

    @staticmethod
    def _pump(source, sink):
        try:
            while piece := source.recv(65536):
                sink.sendall(piece)
            sink.shutdown(1)
        except OSError:
            pass


class Nghttp2(MitmCase):
    """Its programs have no option for a proxy."""

    def setUp(self):
        self.content = os.urandom(300000)
        h2 = H2Server(lambda headers, content: ([(":status", "200")], content or self.content, None))
        self.start_mitm(INSPECTED)
        self.origin = self.tls_origin(h2=h2)
        self.port = Tunneller(self.egret, self.authority_of(self.origin))
        self.addCleanup(self.port.close)

    def run_client(self, *words):
        run = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             timeout=SECONDS * 3)
        self.assertEqual(run.returncode, 0, run.stderr)
        return run.stdout

    def test_nghttp(self):
        need("nghttp")
        url = "https://127.0.0.1:%d" % self.port.port
        path = os.path.join(self.folder, "upload")
        with open(path, "wb") as f:
            f.write(self.content[::-1])
        words = ("nghttp", "-y", "-H", ":authority: origin.test:%d" % self.origin.port)
        self.assertEqual(self.run_client(*words, url + "/down"), self.content)
        self.assertEqual(self.run_client(*words, "-d", path, url + "/up"), self.content[::-1])
        for line in self.egret.log_lines(2, kind="request"):
            self.assertEqual((line["protocol"], line["upstream_protocol"], line["status"]), ("HTTP/2", "HTTP/2", 200))

    def test_h2load(self):
        need("h2load")
        out = self.run_client("h2load", "-n", "300", "-c", "3", "-m", "10",
                              "--connect-to=127.0.0.1:%d" % self.port.port,
                              "https://origin.test:%d/" % self.origin.port).decode()
        self.assertIn("300 succeeded, 0 failed, 0 errored", out)
        self.assertEqual(len(self.egret.log_lines(300, kind="request", status=200)), 300)


if __name__ == "__main__":
    unittest.main()
