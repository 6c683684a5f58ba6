"""What the tests of HTTP/2 share: one proxy for a whole class, an origin that answers by path, outcomes by name, and
tables of cases, each of which counts as a test."""
import itertools
import re
import threading
import unittest

from egret import Egret
from h2_frames import NO_ERROR, PROTOCOL_ERROR, FrameClient, block, headers
from harness import HOSTS, allow, deny, proxy_config
from origins import OK, ScriptedOrigin
from raw_client import RawClient
from waiting import SECONDS, until

LARGE = bytes(range(256)) * 1024  # 256 KiB
PROBE = 0x20001  # a stream that no case uses


def site(connection):
    """/hold is never answered; /large is LARGE; /early is answered before its body is read; all else is "ok"."""
    while True:
        request = connection.read_head()
        if request is None:
            return
        if request.target.startswith("/hold"):
            connection.wait_end()
            return
        if request.target.startswith("/early"):
            connection.send(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig")
            connection.wait_end()
            return
        connection.reader.body_of(request)
        body = LARGE if request.target.startswith("/large") else b"ok"
        head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nX-Kind: test\r\n\r\n" % len(body)
        connection.send(head if request.method == "HEAD" else head + body)


class Gated(ScriptedOrigin):
    """Answers no request before `gate` is set. `held` of them wait, and at most `peak` ever did."""

    def __init__(self):
        self.gate, self.held, self.peak = threading.Event(), 0, 0
        self.lock = threading.Lock()
        super().__init__(self._serve)

    def _serve(self, connection):
        while connection.read_request() is not None:
            self._hold(1)
            self.gate.wait(SECONDS * 3)
            self._hold(-1)
            connection.send(OK)

    def _hold(self, more):
        with self.lock:
            self.held += more
            self.peak = max(self.peak, self.held)

    def close(self):
        self.gate.set()
        super().close()


class CaseClient(FrameClient):
    """With the fields of a request for the origin of its test; `path` is this client's own, so that the origin can be
    asked what it saw of it."""

    def __init__(self, address, port, number, *pairs, **more):
        self.authority, self.path = "origin.test:%d" % port, "/case%d" % number
        super().__init__(address, *pairs, **more)

    def fields(self, method="GET", path=None, *more):
        return [(":method", method), (":scheme", "http"), (":path", path or self.path),
                (":authority", self.authority), *more]

    def get(self, *more, path=None):
        return block(self.fields("GET", path, *more))

    def post(self, *more, path=None):
        return block(self.fields("POST", path, *more))

    def connect(self, authority=None):
        return block([(":method", "CONNECT"), (":authority", authority or self.authority)])

    def without(self, name, *more):
        """A GET that lacks a field."""
        return block([field for field in self.fields() if field[0] != name] + list(more))

    def replacing(self, name, value, method="GET"):
        return block([(key, value if key == name else old) for key, old in self.fields(method)])

    def ask(self, stream, *more, path=None):
        self.send(headers(stream, self.get(*more, path=path)))
        return self.finish(stream)


class H2Case(unittest.TestCase):
    maxDiff = None
    egret = None
    numbers = itertools.count(1)
    filters = None  # the HTTP chain, if not the usual one
    http = {}  # fields of http_connection
    top = {}  # fields of the file

    @classmethod
    def setUpClass(cls):
        cls.origin = ScriptedOrigin(site)
        cls.addClassCleanup(cls.origin.close)
        config = proxy_config([deny(), allow()], cls.filters, **cls.top)
        config["listeners"][0]["filters"][0]["http_connection"].update(cls.http)
        cls.configure(config)
        cls.egret = Egret(config, HOSTS)
        cls.addClassCleanup(cls.egret.stop)

    @classmethod
    def configure(cls, config):
        """What a subclass has to change in the file."""

    def client(self, *pairs, **more):
        client = CaseClient(self.egret.address, self.origin.port, next(self.numbers), *pairs, **more)
        self.addCleanup(client.close)
        return client

    def client_of(self, origin, *pairs, **more):
        """A client whose requests are for this origin."""
        client = self.client(*pairs, **more)
        client.authority = "origin.test:%d" % origin.port
        return client

    def scripted(self, *scripts):
        origin = ScriptedOrigin(*scripts)
        self.addCleanup(origin.close)
        return origin

    def gated(self):
        origin = Gated()
        self.addCleanup(origin.close)
        return origin

    def plain_client(self):
        client = RawClient(self.egret.address)
        self.addCleanup(client.close)
        return client

    def requests_of(self, client):
        """What the origin got for this client's path, whole requests and begun ones."""
        return [r for r in self.origin.requests if r.target.split("?")[0] == client.path]

    # --- Outcomes.

    def assert_idle(self):
        until(lambda: self.egret.metric("egret_requests_active") == 0, "no exchange to be left")

    def assert_connection_error(self, client, *codes):
        """GOAWAY with one of the codes, and then the end."""
        client.to_end()
        self.assertTrue(client.goaways, "no GOAWAY; %r, %r" % (client.streams, client.frames))
        self.assertIn(client.goaways[-1][1], codes)

    def assert_reset(self, client, number, *codes):
        stream = client.finish(number)
        self.assertIsNotNone(stream.reset, "no RST_STREAM: %r, GOAWAYs %r" % (stream, client.goaways))
        self.assertIn(stream.reset, codes, stream)

    def assert_serves_on(self, client):
        """Another request of the connection is served."""
        self.assert_served(client, client.ask(PROBE, path="/probe"))
        self.assertEqual(client.goaways, [])

    def assert_served(self, client, stream, body=b"ok", status=200):
        self.assertEqual((stream.status, stream.body, stream.ended), (status, body, True),
                         "%r, GOAWAYs %r" % (stream, client.goaways))
        self.assertIn(stream.reset, (None, NO_ERROR))


# --- Outcomes of a table's cases: functions of (test, client).

def connection_error(*codes):
    return lambda test, client: test.assert_connection_error(client, *codes)


def stream_error(number, *codes):
    """And the connection serves on."""
    def check(test, client):
        test.assert_reset(client, number, *codes)
        test.assert_serves_on(client)
    return check


def stream_or_connection_error(number, *codes):
    """Where RFC 9113 leaves the choice, or where the stream may be forgotten already."""
    def check(test, client):
        stream = client.stream(number)
        client.until(lambda: stream.reset is not None or client.goaways)
        got = stream.reset if stream.reset is not None else client.goaways and client.goaways[-1][1]
        test.assertIn(got, codes, "%r, GOAWAYs %r" % (stream, client.goaways))
        if client.goaways:
            client.to_end()
        else:
            test.assert_serves_on(client)
    return check


def error_if_any(number, *codes):
    """Where it may be an error or nothing: whoever forgets streams that are over cannot tell."""
    def check(test, client):
        stream = client.ask(PROBE, path="/probe")
        told = [reset for reset in (client.stream(number).reset,) if reset] + [code for _, code in client.goaways]
        test.assertTrue(set(told) <= set(codes), "%r, %r" % (client.streams, client.goaways))
        if not client.goaways:
            test.assert_served(client, stream)
    return check


def malformed(number=1):
    """8.1.1: a stream error, of which no origin hears and no other stream either."""
    def check(test, client):
        test.assert_reset(client, number, PROTOCOL_ERROR)
        test.assert_serves_on(client)
        test.assertEqual(test.requests_of(client), [])
    return check


def refused(status, number=1):
    """A response of the proxy's own; the origin hears nothing."""
    def check(test, client):
        stream = client.finish(number)
        test.assertEqual((stream.status, stream.ended), (status, True), stream)
        test.assertIsNotNone(stream.header("proxy-status"), stream)
        test.assert_serves_on(client)
        test.assertEqual(test.requests_of(client), [])
    return check


def bad_request(number=1):
    """Malformed, and told so either by a stream error or by a 400 (8.1.1 has both). No origin hears of it."""
    def check(test, client):
        stream = client.finish(number)
        if stream.reset is None:
            test.assertEqual((stream.status, stream.ended), (400, True), "%r, %r" % (stream, client.goaways))
            test.assertIsNotNone(stream.header("proxy-status"), stream)
        else:
            test.assertEqual(stream.reset, PROTOCOL_ERROR)
        test.assert_serves_on(client)
        test.assertEqual(test.requests_of(client), [])
    return check


def served(number=1, body=b"ok", status=200, origin=None):
    """origin: a check (test, request) of what the origin got."""
    def check(test, client):
        test.assert_served(client, client.finish(number), body, status)
        if origin:
            requests = test.requests_of(client)
            test.assertEqual(len(requests), 1, requests)
            origin(test, requests[0])
    return check


def origin_got(*fields, body=b"", without=()):
    def check(test, request):
        for name, value in fields:
            test.assertEqual(request.header(name), value, request)
        for name in without:
            test.assertIsNone(request.header(name), request)
        test.assertEqual(request.body, body)
    return check


def ignored(test, client):
    """Nothing comes of it."""
    test.assert_serves_on(client)
    resets = [s for s in client.streams.values() if s.reset not in (None, NO_ERROR)]
    test.assertEqual(resets, [])


def ended(test, client):
    """The connection ends, with or without a last word in whatever protocol."""
    while client.receive():
        pass


def table(cls, cases, **how):
    """Each case is (section, sentence, send, outcome): send(client) does what is to be done, and gives the bytes that
    are still to be sent, if any. It becomes a method of cls. `how` is for the client."""
    for section, sentence, send, outcome in cases:
        def method(self, send=send, outcome=outcome):
            client = self.client(**how)
            rest = send(client)
            if rest:
                client.send(rest)
            outcome(self, client)
        name = "test_%s_%s" % (section.replace(".", "_"), re.sub(r"\W+", "_", sentence).strip("_"))
        assert not hasattr(cls, name), name
        method.__name__ = name
        method.__doc__ = "RFC %s: %s" % (section, sentence)
        setattr(cls, name, method)
