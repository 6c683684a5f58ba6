"""WebSocket to origins that take extended CONNECT (RFC 8441), and to those that do not, over TLS and in clear. Row T17
of the catalogue."""
import ssl
import threading
import unittest

from h2_frames import (CANCEL, ENABLE_CONNECT_PROTOCOL, REFUSED_STREAM, FrameClient, block, data, headers, open_headers,
                       rst)
from h2_origin import Peer
from harness import HOSTS, allow, proxy_config
from origin_tls_test import OriginTls
from origins import OK, reply
from ws import SAMPLE_ACCEPT, SAMPLE_KEY, ask, switches

UPGRADE = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13")
KEY = "Sec-WebSocket-Key: " + SAMPLE_KEY


class Site:
    """A script: answers requests, and extended CONNECTs by `switch` (peer, stream), offered or not. asked: the fields
    of each; streams: those of the CONNECTs; over: one of them was seen to its end."""

    def __init__(self, switch=None, offered=True):
        self.switch, self.offered = switch or echo, offered
        self.asked, self.streams, self.over = [], [], threading.Event()

    def __call__(self, connection):
        peer = Peer(connection.sock, *([(ENABLE_CONNECT_PROTOCOL, 1)] if self.offered else []))
        while stream := peer.request():
            fields = dict(stream.fields)
            self.asked.append(fields)
            if fields[":method"] != "CONNECT":
                peer.respond(stream)
                continue
            self.streams.append(stream)
            self.switch(peer, stream)
            self.over.set()

    def connects(self):
        return [fields for fields in self.asked if fields[":method"] == "CONNECT"]


def accept(peer, stream, *fields):
    peer.send(open_headers(stream.number, block([(":status", "200"), *fields])))


def echo(peer, stream):
    """Gives back in capitals what comes, and its end."""
    accept(peer, stream, ("sec-websocket-protocol", "b"))
    sent = 0
    while peer.until(lambda: len(stream.body) > sent or stream.done) and len(stream.body) > sent:
        piece, sent = stream.body[sent:], len(stream.body)
        peer.send(data(stream.number, piece.upper(), False))
    if stream.ended:
        peer.send(data(stream.number))


def refuse(peer, stream):
    peer.send(open_headers(stream.number, block([(":status", "403"), ("x-why", "no")])), data(stream.number, b"no!"))


def reset_at_once(code):
    return lambda peer, stream: peer.send(rst(stream.number, code))


def accept_then(*frames):
    """Accepts, waits for content, and sends what `frames` give for the stream's number."""
    def switch(peer, stream):
        accept(peer, stream)
        peer.until(lambda: stream.body)
        peer.send(*(one(stream.number) for one in frames))
        peer.until(lambda: stream.done)
    return switch


class Case(OriginTls):
    def site(self, switch=None, offered=True, http1=None):
        """An origin over TLS, in HTTP/1.1 with `http1` on connections that do not agree on h2."""
        site = Site(switch, offered)
        return site, self.tls_origin(http1 or switches(), h2=site)

    def warm(self, origin):
        """Lets the proxy have a connection of HTTP/2 to it."""
        self.assertEqual(self.client().get(self.https(origin.port)).status, 200)
        self.assertEqual(origin.handshakes[-1][0], "h2")

    def switched(self, origin, *more, path="/chat", lines=(*UPGRADE, KEY)):
        """An HTTP/1.1 client, and what its handshake came to."""
        client = self.client()
        return client, client.get(self.https(origin.port, path), *lines, *more)

    def frames(self, port, sock=None):
        client = FrameClient(self.egret.address, sock=sock)
        self.addCleanup(client.close)
        client.authority = "origin.test:%d" % port
        return client

    def hear(self, client, stream, body):
        client.until(lambda: len(stream.body) >= len(body) or stream.done)
        self.assertEqual(stream.body, body)

    def tunnel_line(self, local):
        return self.egret.log_lines(1, source=local, event="end", kind="tunnel")[0]


class FromHttp1(Case):
    def test_T17_a_GET_with_Upgrade_is_an_extended_CONNECT_at_the_origin(self):
        self.start_https()
        site, origin = self.site()
        self.warm(origin)
        client, response = self.switched(origin, "Sec-WebSocket-Protocol: a, b", path="/chat?room=1")
        self.assertEqual([response.status] + [response.header(name) for name in (
            "upgrade", "connection", "sec-websocket-accept", "sec-websocket-protocol", "content-length")],
            [101, "websocket", "Upgrade", SAMPLE_ACCEPT, "b", None])
        asked = site.connects()[0]
        self.assertEqual([asked.get(name) for name in (":protocol", ":scheme", ":authority", ":path",
                                                       "sec-websocket-version", "sec-websocket-protocol")],
                         ["websocket", "https", "origin.test:%d" % origin.port, "/chat?room=1", "13", "a, b"])
        for name in ("sec-websocket-key", "upgrade", "connection", "host", "content-length"):
            self.assertNotIn(name, asked)
        client.send(b"\0hi\xff")
        self.assertEqual(client.reader.exactly(4), b"\0HI\xff")
        client.fin()
        self.assertEqual(client.end(), "fin")
        self.assertTrue(site.streams[0].ended)
        self.assertEqual(len(origin.connections), 1)
        line = self.tunnel_line(client.local)
        self.assertEqual([line.get(name) for name in ("method", "path", "status", "carries", "upstream_protocol",
                                                      "upstream_reused")],
                         ["GET", "/chat", 101, "websocket", "HTTP/2", True])
        self.warm(origin)  # the connection serves on
        self.assertEqual(len(origin.connections), 1)

    def test_T17_where_there_is_no_connection_of_HTTP2_it_goes_over_HTTP1(self):
        self.start_https()
        site, origin = self.site()
        client, response = self.switched(origin)
        self.assertEqual((response.status, origin.handshakes, site.asked), (101, [("http/1.1", False)], []))

    def test_T17_an_origin_that_does_not_offer_it_is_asked_in_HTTP1(self):
        self.start_https()
        site, origin = self.site(offered=False)
        self.warm(origin)
        client, response = self.switched(origin)
        self.assertEqual((response.status, response.header("sec-websocket-accept")), (101, SAMPLE_ACCEPT))
        self.assertEqual(([alpn for alpn, _ in origin.handshakes], site.connects()), (["h2", "http/1.1"], []))
        client.send(b"hi")
        self.assertEqual(client.reader.exactly(2), b"HI")

    def test_T17_what_is_no_whole_handshake_goes_over_HTTP1(self):
        self.start_https()
        site, origin = self.site(http1=reply(OK))
        self.warm(origin)
        for lines in (UPGRADE, (*UPGRADE, "Sec-WebSocket-Key: short"), (*UPGRADE, KEY, KEY)):
            with self.subTest(lines):
                self.assertEqual(self.switched(origin, lines=lines)[1].status, 200)
        self.assertEqual(site.connects(), [])

    def test_T17_what_may_be_repeated_is_repeated_in_HTTP1(self):
        self.start_https()
        for code in (REFUSED_STREAM, CANCEL):  # not looked at; a GET on a connection that had stood idle
            with self.subTest(code):
                site, origin = self.site(reset_at_once(code))
                self.warm(origin)
                client, response = self.switched(origin)
                self.assertEqual((response.status, [alpn for alpn, _ in origin.handshakes]), (101, ["h2", "http/1.1"]))
                self.assertEqual(len(site.connects()), 1)

    def test_T17_a_refusal_is_its_response(self):
        self.start_https()
        site, origin = self.site(refuse)
        self.warm(origin)
        client, response = self.switched(origin)
        self.assertEqual((response.status, response.header("x-why"), response.body), (403, "no", b"no!"))
        self.assert_ok(client.get(self.https(origin.port)))
        self.assertEqual([alpn for alpn, _ in origin.handshakes], ["h2"])

    def test_T17_END_STREAM_of_the_origin_is_a_FIN_and_the_client_may_go_on(self):
        self.start_https()
        site, origin = self.site(accept_then(lambda number: data(number, b"bye")))
        self.warm(origin)
        client, response = self.switched(origin)
        client.send(b"x")
        self.assertEqual(client.reader.exactly(3), b"bye")
        self.assertEqual(client.sock.recv(1), b"")
        client.send(b"still here")
        client.fin()
        self.assertTrue(site.over.wait(20))
        self.assertEqual((site.streams[0].body, site.streams[0].ended), (b"xstill here", True))

    def test_T17_RST_STREAM_of_the_origin_is_a_reset(self):
        self.start_https()
        site, origin = self.site(accept_then(rst))
        self.warm(origin)
        client, response = self.switched(origin)
        client.send(b"x")
        self.assertEqual(client.end(), "rst")

    def test_T17_a_reset_of_the_client_is_CANCEL(self):
        self.start_https()
        site, origin = self.site()
        self.warm(origin)
        client, response = self.switched(origin)
        client.send(b"x")
        client.reader.exactly(1)
        client.reset()
        self.assertTrue(site.over.wait(20))
        self.assertEqual((site.streams[0].reset, site.streams[0].ended), (CANCEL, False))
        self.warm(origin)
        self.assertEqual(len(origin.connections), 1)


class FromHttp2(Case):
    def chat(self, client, *more, **other):
        return ask(client, 1, *more, scheme="https", **other)

    def test_T17_an_extended_CONNECT_stays_one(self):
        self.start_https()
        site, origin = self.site()
        self.warm(origin)
        client = self.frames(origin.port)
        stream = self.chat(client, ("sec-websocket-key", "x"), ("sec-websocket-protocol", "a, b"))
        self.assertEqual((stream.status, stream.header("sec-websocket-protocol"), stream.ended), (200, "b", False))
        for name in ("sec-websocket-accept", "upgrade", "connection"):
            self.assertIsNone(stream.header(name), name)
        asked = site.connects()[0]
        self.assertEqual([asked.get(name) for name in (":protocol", ":scheme", ":path", "sec-websocket-key")],
                         ["websocket", "https", "/chat", None])
        client.send(data(1, b"hi", False))
        self.hear(client, stream, b"HI")
        client.send(data(1))
        client.finish(1)
        self.assertEqual((stream.ended, stream.reset, site.streams[0].ended), (True, None, True))
        line = self.tunnel_line(client.local)
        self.assertEqual([line.get(name) for name in ("protocol", "method", "status", "carries", "upstream_protocol")],
                         ["HTTP/2", "GET", 200, "websocket", "HTTP/2"])

    def test_T17_resets_are_CANCEL_both_ways(self):
        self.start_https()
        site, origin = self.site()
        self.warm(origin)
        client = self.frames(origin.port)
        self.chat(client)
        client.send(rst(1, CANCEL))
        self.assertTrue(site.over.wait(20))
        self.assertEqual(site.streams[0].reset, CANCEL)
        site, origin = self.site(accept_then(rst))
        self.warm(origin)
        client = self.frames(origin.port)
        stream = self.chat(client)
        client.send(data(1, b"x", False))
        self.assertEqual(client.finish(1).reset, CANCEL)

    def test_T17_a_refusal_is_its_response(self):
        self.start_https()
        site, origin = self.site(refuse)
        self.warm(origin)
        stream = self.chat(client := self.frames(origin.port))
        client.finish(1)
        self.assertEqual((stream.status, stream.body, stream.ended), (403, b"no!", True))

    def test_T17_an_origin_that_does_not_offer_it_is_asked_in_HTTP1(self):
        self.start_https()
        site, origin = self.site(offered=False)
        self.warm(origin)
        stream = self.chat(client := self.frames(origin.port))
        self.assertEqual((stream.status, [alpn for alpn, _ in origin.handshakes]), (200, ["h2", "http/1.1"]))
        client.send(data(1, b"hi", False))
        self.hear(client, stream, b"HI")


class OverTls(Case):
    """From end to end: the proxy is asked over TLS, too."""

    def warm_client(self, *rules):
        """A site, and a client of HTTP/2 whose stream 1 has had an answer from it."""
        config = proxy_config(list(rules), [{"egress_policy": {"policy": "web"}},
                                            {"forward_router": {"tls": {"trust": "origins"}}}])
        config["listeners"][0]["filters"].insert(0, {"tls_terminator": {"certificates": ["proxy"]}})
        config["workers"] = 1
        config["secrets"] = [
            {"name": "origins", "trust": {"roots": {"file": self.authority.ca}}},
            {"name": "proxy", "certificate": {"certificate": {"file": self.pair[0]}, "key": {"file": self.pair[1]}}}]
        self.start_config(config, HOSTS)
        site, origin = self.site()
        context = ssl.create_default_context(cafile=self.authority.ca)
        context.set_alpn_protocols(["h2"])
        client = self.frames(origin.port, context.wrap_socket(self.client().sock, server_hostname="origin.test"))
        client.send(headers(1, block([(":method", "GET"), (":scheme", "https"), (":authority", client.authority),
                                      (":path", "/chat")])))
        self.assertEqual(client.finish(1).status, 200)
        return site, client

    def test_T17_https_is_the_scheme_to_the_end(self):
        site, client = self.warm_client(allow())
        stream = ask(client, 3, scheme="https")
        self.assertEqual((stream.status, site.connects()[0][":scheme"]), (200, "https"))
        client.send(data(3, b"hi", False))
        self.hear(client, stream, b"HI")

    def test_T17_policy_sees_the_GET_that_it_stands_for(self):
        site, client = self.warm_client(allow(http={"methods": ["GET"], "path_prefixes": ["/chat"]}))
        self.assertEqual(ask(client, 3, scheme="https", path="/secret").status, 403)
        self.assertEqual(ask(client, 5, scheme="https", path="/chat/x").status, 200)
        self.assertEqual([fields[":path"] for fields in site.connects()], ["/chat/x"])


class Always(Case):
    def test_T17_ALWAYS_asks_without_having_seen_it_offered(self):
        self.start_https(upstream_http2="ALWAYS")
        site, origin = self.site()
        self.assertEqual(self.switched(origin)[1].status, 101)
        self.assertEqual(len(site.connects()), 1)

    def test_T17_ALWAYS_and_an_origin_that_does_not_offer_it_is_a_502(self):
        self.start_https(upstream_http2="ALWAYS")
        site, origin = self.site(offered=False)
        client, response = self.switched(origin)
        self.assertEqual(response.status, 502)
        self.assertIn("http_upgrade_failed", response.header("proxy-status"))
        self.assertEqual((site.asked, len(origin.connections)), ([], 1))

    def test_T17_a_reset_before_the_answer_is_a_502(self):
        self.start_https(upstream_http2="ALWAYS")
        site, origin = self.site(reset_at_once(CANCEL))
        self.assertEqual((self.switched(origin)[1].status, len(site.connects())), (502, 1))

    def test_T17_ALWAYS_and_no_whole_handshake_is_a_request(self):
        self.start_https(upstream_http2="ALWAYS")
        site, origin = self.site()
        self.assertEqual(self.switched(origin, lines=UPGRADE)[1].status, 200)
        self.assertEqual([site.asked[0][":method"], site.asked[0].get("upgrade")], ["GET", None])


class InTunnels(Case):
    """In clear, where the client knows what the origin speaks."""

    def inside(self, origin):
        client = self.client()
        self.assertEqual(client.connect("origin.test:%d" % origin.port).status, 200)
        inside = self.frames(origin.port, client.sock)
        stream = ask(inside, 1)
        return inside, stream

    def test_T17_HTTP2_stays_HTTP2(self):
        self.start()
        site = Site()
        client, stream = self.inside(origin := self.origin(site))
        self.assertEqual((stream.status, len(origin.connections)), (200, 1))
        self.assertEqual([site.connects()[0][name] for name in (":scheme", ":path")], ["http", "/chat"])
        client.send(data(1, b"hi", False))
        self.hear(client, stream, b"HI")

    def test_T17_an_origin_that_does_not_offer_it_is_asked_in_HTTP1(self):
        self.start()
        site = Site(offered=False)
        client, stream = self.inside(origin := self.origin(site, switches()))
        self.assertEqual((stream.status, site.asked, len(origin.connections)), (200, [], 2))
        self.assertEqual(origin.requests[0].start_line, "GET /chat HTTP/1.1")
        client.send(data(1, b"hi", False))
        self.hear(client, stream, b"HI")


if __name__ == "__main__":
    unittest.main()
