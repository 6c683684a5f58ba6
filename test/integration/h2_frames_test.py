"""HTTP/2 towards clients by the book, row F01 of the catalogue: preface, frames and streams (RFC 9113 3 to 7).

Where the book leaves a choice between a stream error and a connection error the case takes both."""
import struct

from h2_case import (LARGE, H2Case, connection_error, ended, error_if_any, ignored, origin_got, served,
                     stream_error, stream_or_connection_error, table)
from h2_frames import (ACK, COMPRESSION_ERROR, CONTINUATION, DATA, ENABLE_PUSH, END_HEADERS, END_STREAM,
                       FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR, GOAWAY, GREATEST_WINDOW, HEADERS, HEADER_TABLE_SIZE,
                       INDEXING, INITIAL_WINDOW_SIZE, MAX_CONCURRENT_STREAMS, MAX_FRAME_SIZE, MAX_HEADER_LIST_SIZE,
                       NO_ERROR, PING, PREFACE, PRIORITY, PROTOCOL_ERROR, PUSH_PROMISE, REFUSED_STREAM, RST_STREAM,
                       SETTINGS, STREAM_CLOSED, WINDOW_UPDATE, WITH_PRIORITY, continuation, data, frame, goaway,
                       headers, indexed, literal, open_headers, padded, ping, priority, priority_fields, rst, settings,
                       settings_ack, window)

FRAME = 16384  # the greatest frame that was not asked for in SETTINGS
UNKNOWN = 0x66  # a frame type that nobody has defined


class Preface(H2Case):
    def test_3_4_the_proxy_begins_with_SETTINGS(self):
        client = self.client()
        self.assertEqual(type(client.next()).__name__, "SettingsFrame")
        self.assertEqual(client.frames[0].stream_id, 0)
        self.assertNotIn("ACK", client.frames[0].flags)

    def test_3_4_what_the_proxy_announces_is_in_range_and_push_is_not_offered(self):
        client = self.client()
        client.until(lambda: client.settings_acks)
        self.assertTrue(0 < client.settings[MAX_CONCURRENT_STREAMS] <= 1000, client.settings)
        self.assertTrue(FRAME <= client.settings.get(MAX_FRAME_SIZE, FRAME) < 1 << 24)
        self.assertLessEqual(client.settings.get(INITIAL_WINDOW_SIZE, 65535), GREATEST_WINDOW)
        self.assertGreater(client.settings[MAX_HEADER_LIST_SIZE], 0)
        self.assertEqual(client.settings.get(ENABLE_PUSH, 0), 0)

    def test_3_4_HTTP_1_is_served_at_the_same_port(self):
        response = self.plain_client().get("http://origin.test:%d/plain" % self.origin.port)
        self.assertEqual((response.status, response.body), (200, b"ok"))

    def test_3_4_a_preface_that_comes_byte_by_byte_is_one(self):
        client = self.client(preface=False)
        client.send_split(PREFACE + settings() + headers(1, client.get()))
        self.assert_served(client, client.finish(1))


def first(rest):
    return lambda c: PREFACE + (rest(c) if callable(rest) else rest)


table(Preface, [
    ("3.4", "preface SETTINGS and a request in one piece", first(lambda c: settings() + headers(1, c.get())), served()),
    ("3.4", "the second half of the preface is wrong", lambda c: PREFACE[:-6] + b"SX\r\n\r\n" + settings(), ended),
    ("3.4", "the first half of the preface has another version", lambda c: b"PRI * HTTP/2.1\r\n\r\nSM\r\n\r\n", ended),
    ("3.4", "HEADERS before any SETTINGS", first(lambda c: headers(1, c.get())), connection_error(PROTOCOL_ERROR)),
    ("3.4", "PING before any SETTINGS", first(ping()), connection_error(PROTOCOL_ERROR)),
    ("3.4", "the first SETTINGS is an acknowledgement", first(settings_ack()), connection_error(PROTOCOL_ERROR)),
    ("3.4", "the first SETTINGS is malformed", first(frame(SETTINGS, payload=bytes(5))),
     connection_error(FRAME_SIZE_ERROR)),
    ("3.4", "an unknown frame before any SETTINGS", first(frame(UNKNOWN)), connection_error(PROTOCOL_ERROR)),
    ("3.4", "the preface twice", first(settings() + PREFACE), connection_error(PROTOCOL_ERROR, FRAME_SIZE_ERROR)),
], preface=False)


class Frames(H2Case):
    """4: the format of frames, their size, header blocks as a whole."""

    def test_4_1_a_frame_that_comes_byte_by_byte_is_one(self):
        client = self.client()
        client.send_split(open_headers(1, client.post()) + data(1, b"slow body"))
        self.assert_served(client, client.finish(1))
        self.assertEqual(self.requests_of(client)[0].body, b"slow body")


def unknown_bits(kind, stream, payload, flags=0):
    return frame(kind, flags | (0xFF ^ (ACK | END_STREAM | END_HEADERS | 8 | WITH_PRIORITY)), stream, payload)


def body_of(size):
    return lambda c: open_headers(1, c.post()) + data(1, bytes(size))


def split(c, fields, *cuts):
    """HEADERS and CONTINUATION frames, cut at these places."""
    text, places = fields, [0, *cuts, len(fields)]
    pieces = [text[a:b] for a, b in zip(places, places[1:])]
    return headers(1, pieces[0], END_STREAM) + b"".join(
        continuation(1, p, END_HEADERS if n == len(pieces) - 2 else 0) for n, p in enumerate(pieces[1:]))


table(Frames, [
    ("4.1", "an unknown frame on the connection", lambda c: frame(UNKNOWN, 0xFF, 0, b"what"), ignored),
    ("4.1", "an unknown frame on an open stream",
     lambda c: open_headers(1, c.post()) + frame(UNKNOWN, 0xFF, 1, b"what") + data(1, b"x"),
     served(origin=origin_got(body=b"x"))),
    ("4.1", "an unknown frame without payload", lambda c: frame(UNKNOWN), ignored),
    ("4.1", "unknown flags on PING", lambda c: unknown_bits(PING, 0, bytes(8)), ignored),
    ("4.1", "unknown flags on HEADERS",
     lambda c: unknown_bits(HEADERS, 1, c.get(), END_STREAM | END_HEADERS), served()),
    ("4.1", "unknown flags on DATA",
     lambda c: open_headers(1, c.post()) + unknown_bits(DATA, 1, b"x", END_STREAM),
     served(origin=origin_got(body=b"x"))),
    ("4.1", "the reserved bit of the stream on PING", lambda c: frame(PING, 0, 1 << 31, bytes(8)), ignored),
    ("4.1", "the reserved bit of the stream on HEADERS",
     lambda c: frame(HEADERS, END_STREAM | END_HEADERS, 1 | 1 << 31, c.get()), served()),
    ("4.2", "DATA of the greatest size", body_of(FRAME), served(origin=origin_got(body=bytes(FRAME)))),
    ("4.2", "DATA larger than the greatest size", body_of(FRAME + 1), stream_or_connection_error(1, FRAME_SIZE_ERROR)),
    ("4.2", "HEADERS larger than the greatest size",
     lambda c: headers(1, c.get(("x", "y" * (FRAME + 1)))), connection_error(FRAME_SIZE_ERROR)),
    ("4.2", "CONTINUATION larger than the greatest size",
     lambda c: headers(1, c.get(), END_STREAM) + continuation(1, literal("x", "y" * (FRAME + 1))),
     connection_error(FRAME_SIZE_ERROR)),
    ("4.2", "SETTINGS larger than the greatest size", lambda c: settings(*[(0x7777, 1)] * 2731),
     connection_error(FRAME_SIZE_ERROR)),
    ("4.2", "an unknown frame larger than the greatest size", lambda c: frame(UNKNOWN, payload=bytes(FRAME + 1)),
     connection_error(FRAME_SIZE_ERROR)),
    ("4.2", "a frame of 16 MiB is not awaited", lambda c: frame(UNKNOWN, length=0xFFFFFF),
     connection_error(FRAME_SIZE_ERROR)),
    ("4.3", "a header block that is none", lambda c: headers(1, b"\xff\xff\xff\xff\xff\xff\xff\xff"),
     connection_error(COMPRESSION_ERROR)),
    ("4.3", "a header block that ends inside a string", lambda c: headers(1, c.get()[:-3]),
     connection_error(COMPRESSION_ERROR)),
    ("4.3", "PRIORITY inside a header block", lambda c: headers(1, c.get(), END_STREAM) + priority(1),
     connection_error(PROTOCOL_ERROR)),
    ("4.3", "PING inside a header block", lambda c: headers(1, c.get(), END_STREAM) + ping(),
     connection_error(PROTOCOL_ERROR)),
    ("4.3", "DATA inside a header block", lambda c: headers(1, c.get(), 0) + data(1, b"x"),
     connection_error(PROTOCOL_ERROR)),
    ("4.3", "HEADERS of another stream inside a header block",
     lambda c: headers(1, c.get(), END_STREAM) + headers(3, c.get()), connection_error(PROTOCOL_ERROR)),
    ("4.3", "HEADERS of the same stream inside a header block",
     lambda c: headers(1, c.get(), END_STREAM) + headers(1, b""), connection_error(PROTOCOL_ERROR)),
    ("4.3", "a header block of a refused request counts for the table",
     lambda c: headers(1, c.get() + literal("UPPER", "x") + literal("x-kept", "value", INDEXING))
     + headers(3, c.get() + indexed(62)), served(3, origin=origin_got(("x-kept", "value")))),
    ("5.5", "an unknown frame inside a header block",
     lambda c: headers(1, c.get(), END_STREAM) + frame(UNKNOWN, 0, 1), connection_error(PROTOCOL_ERROR)),
    ("5.5", "an unknown setting", lambda c: settings((0xFFFF, 7), (0x0A0A, GREATEST_WINDOW)), ignored),
])


class Streams(H2Case):
    """5: states, identifiers, how errors are told."""

    def test_5_4_1_the_GOAWAY_of_an_error_names_the_last_stream_that_was_begun(self):
        client = self.client()
        client.ask(7)
        client.send(frame(PING, 0, 0, bytes(7)))
        self.assert_connection_error(client, FRAME_SIZE_ERROR)
        self.assertEqual(client.goaways[-1][0], 7)

    def test_5_4_2_a_reset_is_not_answered_by_a_reset(self):
        client = self.client()
        client.send(headers(1, client.get(path="/hold")), rst(1))
        self.assert_serves_on(client)
        self.assertIsNone(client.stream(1).reset)

    def test_5_1_2_streams_beyond_the_limit_are_refused_and_may_be_asked_again(self):
        client = self.client()
        client.until(lambda: client.settings_acks)
        most = client.settings[MAX_CONCURRENT_STREAMS]
        numbers = [2 * n + 1 for n in range(most + 1)]
        client.send(*[headers(n, client.get(path="/hold")) for n in numbers])
        self.assert_reset(client, numbers[-1], REFUSED_STREAM)
        client.send(*[rst(n) for n in numbers[:-1]])
        asked = iter(range(numbers[-1] + 2, 100000, 2))  # each counts until its task has ended, too
        stream = client.ask(next(asked))
        while stream.reset == REFUSED_STREAM:
            stream = client.ask(next(asked))
        self.assert_served(client, stream)

    def test_5_1_2_streams_that_are_over_do_not_count(self):
        client = self.client()
        client.until(lambda: client.settings_acks)
        most = client.settings[MAX_CONCURRENT_STREAMS]
        for n in range(most + 10):
            self.assert_served(client, client.ask(2 * n + 1))

    def test_5_requests_of_one_connection_are_served_side_by_side(self):
        client = self.client()
        client.send(headers(1, client.get(path="/hold")), headers(3, client.get()), headers(5, client.get()))
        self.assert_served(client, client.finish(5))
        self.assert_served(client, client.finish(3))
        self.assertFalse(client.stream(1).done)


def answered(times):
    """The origin hears a request that often, whether the rest is an error (5.1, 5.1.1) or passed over."""
    def check(test, client):
        error_if_any(1, STREAM_CLOSED, PROTOCOL_ERROR)(test, client)
        test.assertEqual(len(test.requests_of(client)), times)
    return check


answered_once, answered_never = answered(1), answered(0)


def half_closed(then):
    """The request is whole, and its response does not come."""
    def send(c):
        c.send(headers(1, c.get(path="/hold")))
        return then(c)
    return send


def over(then):
    """Stream 1 has had its response."""
    def send(c):
        c.ask(1)
        return then(c)
    return send


def cancelled(then):
    """Stream 1 was reset by its client."""
    def send(c):
        c.send(headers(1, c.get(path="/hold")), rst(1))
        return then(c)
    return send


table(Streams, [
    ("5.1", "idle takes no DATA", lambda c: data(1, b"x"), connection_error(PROTOCOL_ERROR)),
    ("5.1", "idle takes no RST_STREAM", lambda c: rst(1), connection_error(PROTOCOL_ERROR)),
    ("5.1", "idle takes no WINDOW_UPDATE", lambda c: window(1, 100), connection_error(PROTOCOL_ERROR)),
    ("5.1", "idle takes no CONTINUATION", lambda c: continuation(1, c.get()), connection_error(PROTOCOL_ERROR)),
    ("5.1", "idle takes PRIORITY", lambda c: priority(1), ignored),
    ("5.1", "half-closed takes no DATA", half_closed(lambda c: data(1, b"x")),
     stream_or_connection_error(1, STREAM_CLOSED)),
    ("5.1", "half-closed takes no HEADERS", half_closed(lambda c: headers(1, c.get())),
     stream_or_connection_error(1, STREAM_CLOSED)),
    ("5.1", "half-closed takes no CONTINUATION", half_closed(lambda c: continuation(1, c.get())),
     stream_or_connection_error(1, STREAM_CLOSED, PROTOCOL_ERROR)),
    ("5.1", "half-closed takes WINDOW_UPDATE", half_closed(lambda c: window(1, 100)), ignored),
    ("5.1", "half-closed takes PRIORITY", half_closed(lambda c: priority(1)), ignored),
    ("5.1", "half-closed takes RST_STREAM", half_closed(lambda c: rst(1)), ignored),
    ("5.1", "closed takes no DATA", over(lambda c: data(1, b"x")), error_if_any(1, STREAM_CLOSED)),
    ("5.1", "closed takes no HEADERS", over(lambda c: headers(1, c.get())), answered_once),
    ("5.1", "closed takes no CONTINUATION", over(lambda c: continuation(1, c.get())),
     stream_or_connection_error(1, STREAM_CLOSED, PROTOCOL_ERROR)),
    ("5.1", "closed takes a late WINDOW_UPDATE", over(lambda c: window(1, 100)), ignored),
    ("5.1", "closed takes PRIORITY", over(lambda c: priority(1)), ignored),
    ("5.1", "closed takes a late RST_STREAM", over(lambda c: rst(1)), ignored),
    ("5.1", "after its reset a stream takes no DATA", cancelled(lambda c: data(1, b"x")),
     error_if_any(1, STREAM_CLOSED)),
    ("5.1", "after its reset a stream takes no HEADERS", cancelled(lambda c: headers(1, c.get())), answered_never),
    ("5.1", "after its reset a stream takes no CONTINUATION", cancelled(lambda c: continuation(1, c.get())),
     stream_or_connection_error(1, STREAM_CLOSED, PROTOCOL_ERROR)),
    ("5.1", "a second RST_STREAM is ignored", cancelled(lambda c: rst(1)), ignored),
    ("5.1.1", "an even number", lambda c: headers(2, c.get()), connection_error(PROTOCOL_ERROR)),
    ("5.1.1", "a number below one that was used", lambda c: headers(5, c.get(path="/hold")) + headers(3, c.get()),
     answered_never),
    ("5.1.1", "numbers may be left out", lambda c: headers(11, c.get()) + headers(101, c.get()), served(101)),
    ("5.1.1", "a number that was left out is closed", lambda c: headers(5, c.get(path="/hold")) + data(3, b"x"),
     error_if_any(3, STREAM_CLOSED, PROTOCOL_ERROR)),
    ("5.1.1", "the greatest number is served", lambda c: headers(0x7FFFFFFF, c.get()),
     lambda test, client: test.assert_served(client, client.finish(0x7FFFFFFF))),
    ("5.3.1", "a stream that depends on itself",
     lambda c: headers(1, priority_fields(on=1) + c.get(), END_STREAM | END_HEADERS | WITH_PRIORITY),
     lambda test, client: client.finish(1)),  # RFC 7540: a stream error; RFC 9113: nothing
    ("5.3.2", "a stream that depends on one that does not exist",
     lambda c: headers(1, priority_fields(on=99, exclusive=True) + c.get(), END_STREAM | END_HEADERS | WITH_PRIORITY),
     served()),
    ("5.3.2", "a circle of dependencies", lambda c: priority(3, 5) + priority(5, 7) + priority(7, 3), ignored),
])


class FrameTypes(H2Case):
    """6.1 to 6.4, 6.6: DATA, HEADERS, PRIORITY, RST_STREAM, PUSH_PROMISE."""


def with_body(*frames):
    return lambda c: open_headers(1, c.post()) + b"".join(frames)


table(FrameTypes, [
    ("6.1", "DATA on stream 0", lambda c: data(0, b"x"), connection_error(PROTOCOL_ERROR)),
    ("6.1", "padding longer than the frame", with_body(padded(DATA, END_STREAM, 1, b"abc", 0, told=4)),
     connection_error(PROTOCOL_ERROR)),
    ("6.1", "padding as long as the frame", with_body(padded(DATA, END_STREAM, 1, b"", 0, told=1)),
     connection_error(PROTOCOL_ERROR)),
    ("6.1", "PADDED without room for the padding's length", with_body(frame(DATA, END_STREAM | 8, 1)),
     connection_error(PROTOCOL_ERROR, FRAME_SIZE_ERROR)),
    ("6.1", "padding is no part of the body", with_body(padded(DATA, END_STREAM, 1, b"body", 255)),
     served(origin=origin_got(body=b"body"))),
    ("6.1", "padding of no byte", with_body(padded(DATA, END_STREAM, 1, b"body", 0)),
     served(origin=origin_got(body=b"body"))),
    ("6.1", "nothing but padding", with_body(padded(DATA, 0, 1, b"", 100), data(1, b"x")),
     served(origin=origin_got(body=b"x"))),
    ("6.1", "an empty body", with_body(data(1)), served()),
    ("6.1", "an empty DATA in between", with_body(data(1, b"a", False), data(1, b"", False), data(1, b"b")),
     served(origin=origin_got(body=b"ab"))),
    ("6.2", "HEADERS on stream 0", lambda c: headers(0, c.get()), connection_error(PROTOCOL_ERROR)),
    ("6.2", "padding longer than HEADERS",
     lambda c: padded(HEADERS, END_STREAM | END_HEADERS, 1, c.get(), 0, told=255), connection_error(PROTOCOL_ERROR)),
    ("6.2", "padded HEADERS", lambda c: padded(HEADERS, END_STREAM | END_HEADERS, 1, c.get(), 255), served()),
    ("6.2", "HEADERS with priority",
     lambda c: headers(1, priority_fields() + c.get(), END_STREAM | END_HEADERS | WITH_PRIORITY), served()),
    ("6.2", "padded HEADERS with priority",
     lambda c: padded(HEADERS, END_STREAM | END_HEADERS | WITH_PRIORITY, 1, priority_fields() + c.get(), 7), served()),
    ("6.2", "HEADERS too short for its priority",
     lambda c: headers(1, b"\0\0\0", END_STREAM | END_HEADERS | WITH_PRIORITY),
     connection_error(FRAME_SIZE_ERROR, PROTOCOL_ERROR)),
    ("6.2", "END_STREAM counts though CONTINUATION follows", lambda c: split(c, c.get(), 9), served()),
    ("6.3", "PRIORITY on stream 0", lambda c: priority(0), connection_error(PROTOCOL_ERROR)),
    ("6.3", "PRIORITY of 4 bytes", with_body(frame(PRIORITY, 0, 1, bytes(4))),
     stream_or_connection_error(1, FRAME_SIZE_ERROR)),
    ("6.3", "PRIORITY of 6 bytes", with_body(frame(PRIORITY, 0, 1, bytes(6))),
     stream_or_connection_error(1, FRAME_SIZE_ERROR)),
    ("6.3", "PRIORITY of an open stream", with_body(priority(1, 99, 255, True), data(1, b"x")), served()),
    ("6.4", "RST_STREAM on stream 0", lambda c: rst(0), connection_error(PROTOCOL_ERROR)),
    ("6.4", "RST_STREAM of 3 bytes", with_body(frame(RST_STREAM, 0, 1, bytes(3))), connection_error(FRAME_SIZE_ERROR)),
    ("6.4", "RST_STREAM of 5 bytes", with_body(frame(RST_STREAM, 0, 1, bytes(5))), connection_error(FRAME_SIZE_ERROR)),
    ("6.4", "RST_STREAM ends one stream only",
     lambda c: headers(1, c.get(path="/hold")) + headers(3, c.get()) + rst(1), served(3)),
    ("6.6", "PUSH_PROMISE from a client",
     lambda c: open_headers(1, c.post()) + frame(PUSH_PROMISE, END_HEADERS, 1, struct.pack(">I", 2) + c.get()),
     connection_error(PROTOCOL_ERROR)),
    ("6.6", "PUSH_PROMISE on stream 0", lambda c: frame(PUSH_PROMISE, END_HEADERS, 0, struct.pack(">I", 2) + c.get()),
     connection_error(PROTOCOL_ERROR)),
    ("7", "an unknown error code in RST_STREAM", lambda c: headers(1, c.get(path="/hold")) + rst(1, 0xFFFF), ignored),
])


class Settings(H2Case):
    """6.5."""

    def test_6_5_3_each_SETTINGS_is_acknowledged(self):
        client = self.client()
        client.send(settings(), settings((MAX_CONCURRENT_STREAMS, 5)), settings((INITIAL_WINDOW_SIZE, 1)))
        self.assertTrue(client.until(lambda: client.settings_acks == 4))

    def test_6_5_2_no_frame_is_larger_than_was_allowed(self):
        client = self.client((INITIAL_WINDOW_SIZE, 1 << 20), credit=True)
        self.assert_served(client, client.ask(1, path="/large"), LARGE)
        self.assertLessEqual(max(f.body_len for f in client.frames if type(f).__name__ == "DataFrame"), FRAME)

    def test_6_5_2_larger_frames_may_be_sent_where_they_are_allowed(self):
        client = self.client((INITIAL_WINDOW_SIZE, 1 << 20), (MAX_FRAME_SIZE, 1 << 20), credit=True)
        self.assert_served(client, client.ask(1, path="/large"), LARGE)

    def test_6_5_2_a_client_without_a_table_is_answered_without_one(self):
        client = self.client((HEADER_TABLE_SIZE, 0))
        client.decoder.max_allowed_table_size = 0  # it raises where the proxy's table is larger
        client.until(lambda: client.settings_acks)
        for n in (1, 3, 5):
            self.assert_served(client, client.ask(n))

    def test_6_5_the_last_of_repeated_settings_counts(self):
        client = self.client((INITIAL_WINDOW_SIZE, 0), (INITIAL_WINDOW_SIZE, 1), (INITIAL_WINDOW_SIZE, 2))
        client.send(headers(1, client.get()))
        self.assert_served(client, client.finish(1))


table(Settings, [
    ("6.5", "an acknowledgement with payload", lambda c: frame(SETTINGS, ACK, 0, bytes(6)),
     connection_error(FRAME_SIZE_ERROR)),
    ("6.5", "SETTINGS on a stream", lambda c: frame(SETTINGS, 0, 1), connection_error(PROTOCOL_ERROR)),
    ("6.5", "SETTINGS of 3 bytes", lambda c: frame(SETTINGS, 0, 0, bytes(3)), connection_error(FRAME_SIZE_ERROR)),
    ("6.5", "SETTINGS of 7 bytes", lambda c: frame(SETTINGS, 0, 0, bytes(7)), connection_error(FRAME_SIZE_ERROR)),
    ("6.5", "empty SETTINGS", lambda c: settings(), ignored),
    ("6.5.2", "ENABLE_PUSH of 2", lambda c: settings((ENABLE_PUSH, 2)), connection_error(PROTOCOL_ERROR)),
    ("6.5.2", "ENABLE_PUSH of 1", lambda c: settings((ENABLE_PUSH, 1)), ignored),
    ("6.5.2", "an initial window above the greatest", lambda c: settings((INITIAL_WINDOW_SIZE, GREATEST_WINDOW + 1)),
     connection_error(FLOW_CONTROL_ERROR)),
    ("6.5.2", "the greatest initial window", lambda c: settings((INITIAL_WINDOW_SIZE, GREATEST_WINDOW)), ignored),
    ("6.5.2", "a greatest frame below 16 KiB", lambda c: settings((MAX_FRAME_SIZE, FRAME - 1)),
     connection_error(PROTOCOL_ERROR)),
    ("6.5.2", "a greatest frame of 16 MiB", lambda c: settings((MAX_FRAME_SIZE, 1 << 24)),
     connection_error(PROTOCOL_ERROR)),
    ("6.5.2", "the largest of all greatest frames", lambda c: settings((MAX_FRAME_SIZE, (1 << 24) - 1)), ignored),
    ("6.5.2", "no stream may be pushed and no table kept",
     lambda c: settings((MAX_CONCURRENT_STREAMS, 0), (HEADER_TABLE_SIZE, 0)), ignored),
    ("6.5.2", "the greatest table", lambda c: settings((HEADER_TABLE_SIZE, 0xFFFFFFFF)), ignored),
])


class Windows(H2Case):
    """6.9."""

    def test_6_9_1_not_a_byte_more_is_sent_than_the_window_has(self):
        client = self.client((INITIAL_WINDOW_SIZE, 0))
        client.send(headers(1, client.get()))
        stream = client.stream(1)
        client.until(lambda: stream.fields)  # a head needs no window
        self.assertTrue(client.pinged(b"no room!"))
        self.assertEqual(stream.body, b"")
        client.send(window(1, 1))
        client.until(lambda: stream.body)
        self.assertTrue(client.pinged(b"one byte"))
        self.assertEqual((stream.body, stream.ended), (b"o", False))
        client.send(window(1, 1))
        self.assert_served(client, client.finish(1))

    def test_6_9_1_nor_than_the_connections_window_has(self):
        client = self.client((INITIAL_WINDOW_SIZE, 1 << 20))
        client.send(headers(1, client.get(path="/large")))
        stream = client.stream(1)
        client.until(lambda: len(stream.body) == 65535)
        self.assertTrue(client.pinged(b"no room!"))
        self.assertEqual(len(stream.body), 65535)
        client.send(window(0, 1 << 20))
        self.assert_served(client, client.finish(1), LARGE)

    def test_6_9_2_a_larger_initial_window_counts_for_open_streams(self):
        client = self.client((INITIAL_WINDOW_SIZE, 0))
        client.send(headers(1, client.get()))
        client.until(lambda: client.stream(1).fields)
        client.send(settings((INITIAL_WINDOW_SIZE, 1)))
        client.until(lambda: client.stream(1).body)
        client.send(settings((INITIAL_WINDOW_SIZE, 2)))
        self.assert_served(client, client.finish(1))

    def test_6_9_2_a_window_may_become_negative(self):
        client = self.client((INITIAL_WINDOW_SIZE, 3000))
        client.send(headers(1, client.get(path="/large")))
        stream = client.stream(1)
        client.until(lambda: len(stream.body) == 3000)
        client.send(settings((INITIAL_WINDOW_SIZE, 1000)), window(1, 2000))
        self.assertTrue(client.pinged(b"zero now"))
        self.assertEqual(len(stream.body), 3000)
        client.send(window(1, 5))
        client.until(lambda: len(stream.body) == 3005)

    def test_6_9_a_small_window_of_one_stream_hinders_no_other(self):
        client = self.client((INITIAL_WINDOW_SIZE, 10))
        client.send(headers(1, client.get(path="/large")), headers(3, client.get()))
        self.assert_served(client, client.finish(3))

    def test_6_9_an_upload_gets_its_window_back(self):
        client = self.client()
        client.send(open_headers(1, client.post()))
        client.send_body(1, [bytes(FRAME)] * 64)
        self.assert_served(client, client.finish(1))
        self.assertEqual(len(self.requests_of(client)[0].body), 64 * FRAME)


table(Windows, [
    ("6.9", "an increment of 0 for a stream", half_closed(lambda c: window(1, 0)),
     stream_or_connection_error(1, PROTOCOL_ERROR)),
    ("6.9", "an increment of 0 for the connection", lambda c: window(0, 0), connection_error(PROTOCOL_ERROR)),
    ("6.9", "the reserved bit of an increment", half_closed(lambda c: window(1, 1 << 31 | 5)), ignored),
    ("6.9", "WINDOW_UPDATE of 3 bytes", lambda c: frame(WINDOW_UPDATE, 0, 0, bytes(3)),
     connection_error(FRAME_SIZE_ERROR)),
    ("6.9", "WINDOW_UPDATE of 5 bytes", half_closed(lambda c: frame(WINDOW_UPDATE, 0, 1, b"\0\0\0\1\0")),
     connection_error(FRAME_SIZE_ERROR)),
    ("6.9.1", "the connection's window above the greatest", lambda c: window(0, GREATEST_WINDOW) * 2,
     connection_error(FLOW_CONTROL_ERROR)),
    ("6.9.1", "a stream's window above the greatest", half_closed(lambda c: window(1, GREATEST_WINDOW) * 2),
     stream_error(1, FLOW_CONTROL_ERROR)),
    ("6.9.1", "the greatest window", half_closed(lambda c: window(1, GREATEST_WINDOW - 65535)), ignored),
    ("6.9.2", "an initial window that makes a stream's too large",
     half_closed(lambda c: window(1, GREATEST_WINDOW - 65535) + settings((INITIAL_WINDOW_SIZE, 65536))),
     stream_or_connection_error(1, FLOW_CONTROL_ERROR)),
    ("6.9.2", "the connection's window is not that of SETTINGS", lambda c: settings((INITIAL_WINDOW_SIZE, 0)) + window(
        0, GREATEST_WINDOW - 65535), lambda test, client: test.assertTrue(client.pinged(b"lives on"))),
])


class Connections(H2Case):
    """6.7, 6.8, 6.10: PING, GOAWAY, CONTINUATION."""

    def test_6_7_PING_comes_back_with_its_payload(self):
        client = self.client()
        for payload in (b"\0\1\2\3\4\5\6\7", b"\xff" * 8):
            self.assertTrue(client.pinged(payload))

    def test_6_7_PING_is_answered_while_a_request_is_served(self):
        client = self.client()
        client.send(headers(1, client.get(path="/hold")))
        self.assertTrue(client.pinged(b"and yet!"))

    def test_6_7_what_acknowledges_a_PING_is_not_answered(self):
        client = self.client()
        client.send(ping(b"nobodys!", ACK))
        self.assertTrue(client.pinged(b"a marker"))
        self.assertEqual(client.pongs, [b"a marker"])

    def test_6_8_after_GOAWAY_of_the_client_its_requests_are_still_answered(self):
        client = self.client()
        client.send(open_headers(1, client.post()), goaway(0, NO_ERROR, b"bye"))
        self.assertTrue(client.pinged(b"settled."))
        client.send(data(1, b"late"))
        self.assert_served(client, client.finish(1))

    def test_6_10_a_header_block_in_eight_frames_of_one_byte_and_a_rest(self):
        client = self.client()
        client.send_split(split(client, client.get(), *range(1, 8)))
        self.assert_served(client, client.finish(1))


table(Connections, [
    ("6.7", "PING of 7 bytes", lambda c: frame(PING, 0, 0, bytes(7)), connection_error(FRAME_SIZE_ERROR)),
    ("6.7", "PING of 9 bytes", lambda c: frame(PING, 0, 0, bytes(9)), connection_error(FRAME_SIZE_ERROR)),
    ("6.7", "PING on a stream", lambda c: frame(PING, 0, 1, bytes(8)), connection_error(PROTOCOL_ERROR)),
    ("6.8", "GOAWAY on a stream", lambda c: frame(GOAWAY, 0, 1, bytes(8)), connection_error(PROTOCOL_ERROR)),
    ("6.8", "GOAWAY of 7 bytes", lambda c: frame(GOAWAY, 0, 0, bytes(7)), connection_error(FRAME_SIZE_ERROR)),
    ("7", "an unknown error code in GOAWAY",
     lambda c: headers(1, c.get()) + goaway(0, 0xFFFF, b"debug"), served()),
    ("6.10", "three CONTINUATION frames", lambda c: split(c, c.get(), 5, 6, 20), served()),
    ("6.10", "an empty CONTINUATION in between", lambda c: split(c, c.get(), 9, 9), served()),
    ("6.10", "CONTINUATION after END_HEADERS", lambda c: open_headers(1, c.post()) + continuation(1, literal("x", "y")),
     connection_error(PROTOCOL_ERROR)),
    ("6.10", "CONTINUATION of another stream", lambda c: headers(1, c.get(), END_STREAM) + continuation(3, b""),
     connection_error(PROTOCOL_ERROR)),
    ("6.10", "CONTINUATION on stream 0", lambda c: headers(1, c.get(), END_STREAM) + continuation(0, b""),
     connection_error(PROTOCOL_ERROR)),
    ("6.10", "CONTINUATION behind DATA", with_body(data(1, b"x", False), continuation(1, b"")),
     connection_error(PROTOCOL_ERROR)),
    ("6.10", "CONTINUATION without anything before", lambda c: frame(CONTINUATION, END_HEADERS, 1),
     connection_error(PROTOCOL_ERROR)),
])
