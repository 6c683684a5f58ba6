"""Origins that speak HTTP/2, in clear: rows F14 and F15. What they say they did not process is asked once more and nothing
else is; what they may not do ends their connection, is told to the client as a 502, and is counted."""
import itertools
import re
import threading
import unittest

from h2_case import H2Case
from h2_frames import (CANCEL, DATA, ENABLE_PUSH, END_HEADERS, END_STREAM, GREATEST_WINDOW, HEADERS, INDEXING,
                       INTERNAL_ERROR, MAX_CONCURRENT_STREAMS, NO_ERROR, PUSH_PROMISE, REFUSED_STREAM, block,
                       continuation, data, frame, goaway, headers, indexed, literal, open_headers, padded, ping,
                       priority, rst, settings, window)
from h2_origin import OK, H2Origin, Peer, reset_all
from waiting import SECONDS, until

MANY = 200000
GRPC = ("content-type", "application/grpc")


class OriginCase(H2Case):
    def h2_origin(self, *scripts, **more):
        origin = H2Origin(*scripts, **more)
        self.addCleanup(origin.close)
        return origin

    def call(self, client, number, path, body=None):
        """A request that goes out over HTTP/2: GET, or POST with a body."""
        if body is None:
            return client.send(headers(number, client.get(GRPC, path=path)))
        client.send(open_headers(number, client.post(GRPC, path=path)), data(number, body))

    def assert_failed(self, client, number, status, detail, path):
        stream = client.finish(number)
        self.assertEqual((stream.status, stream.ended), (status, True), "%r\n%s" % (stream, self.egret.log_text()))
        line = self.egret.one_line(source=client.local, path=path)
        self.assertEqual((line["status"], line["detail"]), (status, detail))
        return line

    def assert_serves_on_elsewhere(self, client):
        """The client's connection suffers nothing from what an origin did."""
        client.authority = "origin.test:%d" % self.origin.port
        self.assert_serves_on(client)

    def hits(self, limit):
        return self.egret.metric("egret_limit_hits_total", limit="upstream_http2_" + limit)


class Retries(OriginCase):
    """F14."""

    def test_F14_what_GOAWAY_leaves_out_is_asked_elsewhere_and_what_it_counts_in_is_answered(self):
        def leaves(peer):
            peer.respond(peer.request())
            first = peer.request()
            peer.request()
            peer.send(goaway(first.number, NO_ERROR))
            peer.respond(first)
            self.assertIsNone(peer.request())
        origin = self.h2_origin(leaves, Peer.serve)
        client = self.client_of(origin)
        self.call(client, 1, "/warm")
        self.assert_served(client, client.finish(1))
        self.call(client, 3, "/first")
        self.call(client, 5, "/second")
        for number in (3, 5):
            self.assert_served(client, client.finish(number))
        self.call(client, 7, "/third")
        self.assert_served(client, client.finish(7))
        self.assertEqual(origin.asked, [["/warm", "/first", "/second"], ["/second", "/third"]])

    def test_F14_a_body_that_was_begun_is_not_sent_twice(self):
        def leaves(peer):
            stream = peer.request()
            peer.until(lambda: stream.body)
            peer.send(goaway(0, NO_ERROR))
            self.assertIsNone(peer.request())
        origin = self.h2_origin(leaves, Peer.serve)
        client = self.client_of(origin)
        self.call(client, 1, "/body", b"once")
        self.assert_failed(client, 1, 503, "upstream_refused_stream", "/body")
        self.assertEqual(origin.asked, [["/body"]])

    def test_F14_a_GET_that_GOAWAY_leaves_out_is_asked_once_more(self):
        def leaves(peer):
            peer.request()
            peer.send(goaway(0, NO_ERROR))
            self.assertIsNone(peer.request())
        origin = self.h2_origin(leaves, Peer.serve)
        client = self.client_of(origin)
        self.call(client, 1, "/left-out")
        self.assert_served(client, client.finish(1))
        self.assertEqual(origin.asked, [["/left-out"], ["/left-out"]])

    def test_F14_what_was_processed_and_not_answered_is_not_asked_again(self):
        def dies(peer):
            peer.respond(peer.request())
            stream = peer.request()
            peer.until(lambda: stream.ended)
            peer.send(goaway(3, INTERNAL_ERROR))
        origin = self.h2_origin(dies, Peer.serve)
        client = self.client_of(origin)
        self.call(client, 1, "/warm")
        self.assert_served(client, client.finish(1))
        self.call(client, 3, "/processed", b"once")
        stream = client.finish(3)
        self.assertEqual(stream.status, 502, stream)
        self.assertEqual(origin.asked, [["/warm", "/processed"]])

    def test_F14_a_refused_stream_is_asked_once_more_and_no_oftener(self):
        origin = self.h2_origin(reset_all(REFUSED_STREAM))
        client = self.client_of(origin)
        self.call(client, 1, "/refused")
        self.assert_failed(client, 1, 503, "upstream_refused_stream", "/refused")
        self.assertEqual(sum(len(asked) for asked in origin.asked), 2)

    def test_F14_a_stream_that_is_reset_for_any_other_reason_is_not(self):
        for code in (CANCEL, INTERNAL_ERROR, NO_ERROR):
            with self.subTest(code):
                origin = self.h2_origin(reset_all(code))
                client = self.client_of(origin)
                path = "/reset-%d" % code
                self.call(client, 1, path)
                self.assert_failed(client, 1, 502, "upstream_reset", path)
                self.assertEqual(origin.asked, [[path]])

    def test_F14_where_no_stream_may_be_opened_any_more_another_connection_is_made(self):
        def closes(peer):
            stream = peer.request()
            peer.send(settings((MAX_CONCURRENT_STREAMS, 0)))
            peer.until(lambda: peer.settings_acks >= 2)
            peer.respond(stream)
            self.assertIsNone(peer.request())
        origin = self.h2_origin(closes, Peer.serve)
        client = self.client_of(origin)
        for number, path in ((1, "/first"), (3, "/second"), (5, "/third")):
            self.call(client, number, path)
            self.assert_served(client, client.finish(number))
        self.assertEqual(origin.asked, [["/first"], ["/second", "/third"]])

    def test_F14_no_more_streams_are_opened_than_the_origin_takes(self):
        bursts = []

        def holds(peer):
            while True:
                bursts.append(peer.burst())
                if not bursts[-1]:
                    return
                for stream in bursts[-1]:
                    peer.respond(stream)
        origin = self.h2_origin(holds, settings=((MAX_CONCURRENT_STREAMS, 5),))
        client = self.client_of(origin)
        for number in (1, *range(3, 43, 2)):
            self.call(client, number, "/%d" % number)
            if number == 1:  # then the proxy knows how many may be open
                client.finish(1)
        for number in range(1, 43, 2):
            self.assert_served(client, client.finish(number))
        self.assertLessEqual(max(map(len, bursts)), 5)
        self.assertEqual(sum(map(len, bursts)), 21)


class Breaches(OriginCase):
    """F15: each is done while a request waits for its answer."""


def breach(what, frames, detail="upstream_http2_error"):
    def test(self):
        def script(peer):
            peer.request()
            peer.send(*frames)
            peer.to_end()
        origin = self.h2_origin(script)
        client = self.client_of(origin)
        self.call(client, 1, client.path)
        self.assert_failed(client, 1, 502, detail, client.path)
        self.assertEqual(origin.asked, [[client.path]])
        self.assert_serves_on_elsewhere(client)
    test.__doc__ = what
    setattr(Breaches, "test_F15_" + re.sub(r"\W+", "_", what), test)


BEGUN = open_headers(1, OK)
for what, frames, *outcome in (
        ("a push", [BEGUN, frame(PUSH_PROMISE, END_HEADERS, 1, b"\0\0\0\2" + block([(":method", "GET")]))]),
        ("SETTINGS that allow pushes", [settings((ENABLE_PUSH, 1))]),
        ("a stream of its own", [headers(2, OK)]),
        ("a stream that nobody opened", [headers(5, OK)]),
        ("DATA on stream 0", [data(0, b"x")]),
        ("DATA before a head", [data(1, b"x")]),
        ("a frame that is too large", [frame(DATA, 0, 1, bytes(16385))]),
        ("RST_STREAM of an idle stream", [rst(5)]),
        ("WINDOW_UPDATE of 0", [window(0, 0)]),
        ("a window above the greatest", [window(0, GREATEST_WINDOW)]),
        ("an index that is in no table", [frame(HEADERS, END_HEADERS | END_STREAM, 1, indexed(100))]),
        ("CONTINUATION behind nothing", [continuation(1, b"")]),
        ("HTTP 1", [b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"]),
        ("101", [headers(1, block([(":status", "101")]))], "upstream_malformed"),
        ("no status", [headers(1, block([("x", "y")]))], "upstream_malformed"),
        ("a connection field", [headers(1, OK + literal("connection", "close"))], "upstream_malformed"),
        ("transfer-encoding", [headers(1, OK + literal("transfer-encoding", "chunked"))], "upstream_malformed"),
        ("a line break in a value", [headers(1, OK + literal("x", "a\r\nset-cookie: b"))], "upstream_malformed"),
        ("an upper-case name", [headers(1, OK + literal("X", "y"))], "upstream_malformed"),
        ("a length that is not kept", [headers(1, OK + literal("content-length", "5"))], "upstream_malformed"),
        ("seventeen interim heads", [open_headers(1, block([(":status", "103")]))] * 17, "upstream_too_many_interim"),
        ("a head of more fields than the limit", [headers(1, OK + literal("x", "y") * 500)],
         "upstream_headers_too_large"),
        ("a head of references to a long field", [headers(1, OK + literal("x", "y" * 4000, INDEXING) + indexed(62) * 30)],
         "upstream_headers_too_large")):
    breach(what, frames, *outcome)


class Floods(OriginCase):
    """F15: a flood ends the origin's connection, whatever is open on it, and is counted."""

    def flooded(self, limit, piece, head=b""):
        """What became of a request whose origin says `piece` without end, once the client has the response's head."""
        heard = threading.Event()

        def script(peer):
            peer.request()
            peer.send(head)
            heard.wait(SECONDS)
            self.sent = peer.flood(itertools.repeat(piece, MANY))
        origin = self.h2_origin(script)
        client, hits = self.client_of(origin), self.hits(limit)
        path = "/flood-" + limit
        self.call(client, 1, path)
        if head:
            client.until(lambda: client.stream(1).fields)
        heard.set()
        stream = client.finish(1)
        until(lambda: self.hits(limit) == hits + 1, "the flood to be counted")
        until(lambda: origin.connections[0].closed, "the end of the origin's script")
        self.assert_serves_on_elsewhere(client)
        return stream, self.egret.one_line(source=client.local, path=path)

    def assert_flood(self, limit, piece):
        stream, line = self.flooded(limit, piece)
        self.assertEqual((stream.status, line["detail"]), (502, "upstream_http2_error"))
        self.assertLess(self.sent, MANY)

    def test_F15_PING(self):
        self.assert_flood("pings", ping())

    def test_F15_SETTINGS(self):
        self.assert_flood("settings", settings())

    def test_F15_PRIORITY(self):
        self.assert_flood("priorities", priority(1))

    def test_F15_WINDOW_UPDATE(self):
        self.assert_flood("window_updates", window(0, 1))

    def test_F15_CONTINUATION(self):
        def script(peer):
            peer.request()
            peer.send(frame(HEADERS, 0, 1, OK))
            peer.flood(itertools.repeat(continuation(1, b"", 0), MANY))
        origin = self.h2_origin(script)
        client, hits = self.client_of(origin), self.hits("continuations")
        self.call(client, 1, "/continuations")
        self.assert_failed(client, 1, 502, "upstream_http2_error", "/continuations")
        self.assertEqual(self.hits("continuations"), hits + 1)

    def test_F15_DATA_without_content_breaks_the_response_off(self):
        stream, line = self.flooded("empty_frames", data(1, b"", False), BEGUN)
        self.assertEqual((stream.status, stream.ended), (200, False))
        self.assertIsNotNone(stream.reset)
        self.assertEqual(line["detail"], "upstream_http2_error")

    def test_F15_padding_alone_does_too(self):
        stream, line = self.flooded("empty_frames", padded(DATA, 0, 1, b"", 200), BEGUN)
        self.assertIsNotNone(stream.reset)
        self.assertEqual(line["detail"], "upstream_http2_error")

    def test_F15_a_head_without_end_costs_no_more_than_its_limit(self):
        field = literal("x", "y" * 1000)

        def script(peer):
            peer.request()
            peer.send(frame(HEADERS, 0, 1, OK))
            peer.flood(itertools.repeat(continuation(1, field * 15, 0), 2000))
        origin = self.h2_origin(script)
        client, before = self.client_of(origin), self.egret.resident_kib()
        self.call(client, 1, "/head")
        stream = client.finish(1)
        self.assertEqual(stream.status, 502, stream)
        self.assertLess(self.egret.resident_kib() - before, 4096)

    def test_F15_a_storm_of_resets_ends_the_connection_and_every_request_is_told(self):
        origin = self.h2_origin(reset_all(CANCEL))
        client, hits = self.client_of(origin, credit=True), self.hits("resets")
        asked = 0
        for number in range(1, 4001, 2):
            self.call(client, number, "/storm")
            asked += 1
            stream = client.finish(number)
            self.assertEqual(stream.status, 502, stream)
            if asked % 50 == 0 and self.hits("resets") > hits:
                break
        self.assertGreater(self.hits("resets"), hits)  # of each connection that was used meanwhile
        self.assertLess(asked, 2000)
        self.assert_serves_on_elsewhere(client)

    def test_F15_content_beyond_the_windows_breaks_the_response_off(self):
        heard, flooded = threading.Event(), threading.Event()

        def script(peer):
            peer.request()
            peer.send(BEGUN)
            heard.wait(SECONDS)
            peer.flood(itertools.repeat(data(1, bytes(16384), False), 1000))
            flooded.set()
        origin = self.h2_origin(script)
        client = self.client_of(origin)  # which does not give windows back
        self.call(client, 1, "/windows")
        client.until(lambda: client.stream(1).fields)
        heard.set()
        self.assertTrue(flooded.wait(SECONDS))
        client.send(window(0, 1 << 20), window(1, 1 << 20))  # takes what came before
        stream = client.finish(1)
        self.assertIsNotNone(stream.reset)
        self.assertEqual(self.egret.one_line(source=client.local, path="/windows")["detail"], "upstream_malformed")

    def test_F15_unknown_frames_and_a_wrong_acknowledgement_are_nothing(self):
        def script(peer):
            stream = peer.request()
            peer.send(frame(0x42, 0xFF, 0, b"what"), frame(0x42, 0, 1, b"what"), ping(b"12345678", 1))
            peer.respond(stream)
            peer.to_end()
        client = self.client_of(self.h2_origin(script))
        self.call(client, 1, "/unknown")
        self.assert_served(client, client.finish(1))


if __name__ == "__main__":
    unittest.main()
