"""HTTP/2 clients that cost the proxy more than themselves: rows F02 to F11, F19 and R04 of the catalogue.

What they do is bounded and counted, and ends with a GOAWAY that says why; whoever else asks is served."""
import os
import socket

from h2_case import H2Case
from h2_frames import (CANCEL, DATA, END_HEADERS, END_STREAM, ENHANCE_YOUR_CALM, FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR,
                       GREATEST_WINDOW, INDEXING, INITIAL_WINDOW_SIZE, INTERNAL_ERROR, MAX_CONCURRENT_STREAMS, NO_ERROR,
                       PREFACE, PRIORITY, PROTOCOL_ERROR, REFUSED_STREAM, SETTINGS_TIMEOUT, STREAM_CLOSED, block,
                       continuation, data, frame, headers, headers_of, indexed, integer, literal, open_headers, ping,
                       plain, priority, rst, settings, window)
from harness import SANITIZED
from waiting import until

MIB = 1024  # of KiB


class Abuse(H2Case):
    top = {"workers": 1}

    def hits(self, limit):
        return self.egret.metric("egret_limit_hits_total", limit=limit)

    def cpu_seconds(self):
        with open("/proc/%d/stat" % self.egret.pid) as f:
            fields = f.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def assert_calmed(self, client, limit, before):
        self.assert_connection_error(client, ENHANCE_YOUR_CALM)
        self.assertEqual(self.hits(limit), before + 1)

    def flooded(self, limit, pieces, client=None, most=20000):
        """The client floods, is cut off, and that is counted; others are served. Gives what went out."""
        before, client = self.hits(limit), client or self.client()
        sent = client.flood(pieces(client))
        self.assert_calmed(client, limit, before)
        self.assertLess(sent, most)
        self.assert_others_are_served()
        print("%s: cut off after %d" % (limit, sent))
        return sent

    def assert_others_are_served(self):
        other = self.client()
        self.assert_served(other, other.ask(1))

    def assert_grew_less(self, before, kib):
        grown = self.egret.resident_kib() - before
        print("%d KiB more" % grown)
        if not SANITIZED:
            self.assertLess(grown, kib)


class Resets(Abuse):
    """Streams that are opened and ended at once."""

    def test_F02_rapid_reset_is_ended_after_some_hundred_streams(self):
        client, before = self.client(), self.egret.metric("egret_upstream_connections_total")
        sent = self.flooded("http2_resets", lambda c: (
            headers(n, c.get()) + rst(n) for n in range(1, 200000, 2)), client)
        self.assertLess(client.goaways[-1][0], 2 * 1500)  # what one turn reads comes on top
        self.assertLess(self.egret.metric("egret_upstream_connections_total") - before, 1500)
        print("%d resets" % sent)
        self.assert_idle()

    def test_F02_some_cancelled_requests_are_nothing(self):
        client = self.client()
        for n in range(1, 400, 4):
            client.send(headers(n, client.get(path="/hold")), rst(n))
            self.assert_served(client, client.ask(n + 2))
        self.assertEqual(client.goaways, [])

    # F03: what makes the proxy do the resetting (CVE-2025-8671).
    PRIMITIVES = {
        "an increment of 0": lambda c, n: headers(n, c.get(path="/hold")) + window(n, 0),
        "a window that overflows": lambda c, n: headers(n, c.get(path="/hold")) + window(n, GREATEST_WINDOW),
        "HEADERS behind the end": lambda c, n: headers(n, c.get(path="/hold")) + headers(n, c.get()),
        "DATA behind the end": lambda c, n: headers(n, c.get(path="/hold")) + data(n, b"x"),
        "PRIORITY of a wrong length": lambda c, n: headers(n, c.get(path="/hold")) + frame(PRIORITY, 0, n, bytes(4)),
        "more than content-length": lambda c, n: open_headers(n, c.post(("content-length", "1"), path="/hold"))
        + data(n, b"too much", False),
        "trailers that do not end it": lambda c, n: open_headers(n, c.post(path="/hold"))
        + headers(n, block([("x-a", "b")]), END_HEADERS),
        "a malformed head": lambda c, n: headers(n, c.get(("connection", "close"))),
    }

    def test_F03_resets_that_the_proxy_is_made_to_do_count_the_same(self):
        for name, primitive in self.PRIMITIVES.items():
            with self.subTest(name):
                client, upstream = self.client(), self.egret.metric("egret_upstream_connections_total")
                before = self.hits("http2_resets")
                sent = client.flood(primitive(client, n) for n in range(1, 20000, 2))
                client.to_end()
                code = client.goaways[-1][1]
                self.assertIn(code, (ENHANCE_YOUR_CALM, PROTOCOL_ERROR, STREAM_CLOSED, FRAME_SIZE_ERROR))
                if code == ENHANCE_YOUR_CALM:
                    self.assertEqual(self.hits("http2_resets"), before + 1)
                print("%s: code %d after %d" % (name, code, sent))
                self.assertLess(client.goaways[-1][0], 2 * 1500)  # what one turn reads comes on top
                self.assertLess(self.egret.metric("egret_upstream_connections_total") - upstream, 1500)
                self.assert_idle()
        self.assert_others_are_served()


class Floods(Abuse):
    """F06: frames that cost their sender nothing."""

    def test_F06_SETTINGS(self):
        self.flooded("http2_settings", lambda c: (settings((INITIAL_WINDOW_SIZE, 65535)) for _ in range(100000)))

    def test_F06_PING(self):
        self.flooded("http2_pings", lambda c: (ping() for _ in range(100000)))

    def test_F06_PRIORITY(self):
        self.flooded("http2_priorities", lambda c: (priority(2 * (n % 1000) + 1) for n in range(200000)))

    def test_F06_WINDOW_UPDATE(self):
        self.flooded("http2_window_updates", lambda c: (window(0, 1) for _ in range(200000)))

    def test_F06_unknown_frames_are_nothing(self):
        before, client = self.egret.resident_kib(), self.client()
        client.flood(frame(0x77, 0, 0, b"?") for _ in range(100000))
        self.assert_serves_on(client)
        self.assert_grew_less(before, MIB)

    def test_F06_DATA_without_content(self):
        self.flooded("http2_empty_frames", lambda c: (
            data(1, b"", False) if n else open_headers(1, c.post()) for n in range(200000)))

    def test_F06_DATA_of_nothing_but_padding(self):
        self.flooded("http2_empty_frames", lambda c: (
            frame(DATA, 8, 1, b"\3\0\0\0") if n else open_headers(1, c.post()) for n in range(200000)))

    def test_F06_answers_that_are_not_read_do_not_pile_up(self):
        before, client = self.egret.resident_kib(), self.client()
        client.sock.settimeout(1)
        try:
            for _ in range(1000):
                client.sock.sendall(ping() * 1000)
        except OSError:
            pass
        self.assert_others_are_served()
        self.assert_grew_less(before, 4 * MIB)


class Heads(Abuse):
    """F04, F05, F19: heads that are larger than they look."""

    def heads_flood(self, pieces, limit):
        before, cpu = self.egret.resident_kib(), self.cpu_seconds()
        for _ in range(5):
            client, hits = self.client(), self.hits(limit)
            sent = client.flood(pieces(client))
            client.to_end()
            self.assertLess(sent, 100000, "it went on to the end")
            self.assertEqual(self.hits(limit), hits + 1)
        self.assert_others_are_served()
        self.assert_grew_less(before, 4 * MIB)
        print("%d frames, %.2f s" % (sent, self.cpu_seconds() - cpu))

    def test_F04_CONTINUATION_of_nothing_without_end(self):
        self.heads_flood(lambda c: (continuation(1, b"", 0) if n else headers(1, c.get(), END_STREAM)
                                    for n in range(100000)), "http2_continuations")

    def test_F04_CONTINUATION_of_a_byte_without_end(self):
        value = b"\0" + plain("x") + integer(60000, 7)  # a value begins
        self.heads_flood(lambda c: (continuation(1, b"y", 0) if n else headers(1, c.get() + value, END_STREAM)
                                    for n in range(100000)), "http2_continuations")

    def test_F04_large_CONTINUATION_without_end(self):
        field = literal("x-large", "v" * 4000) * 4
        self.heads_flood(lambda c: (continuation(1, field, 0) if n else headers(1, c.get(), END_STREAM)
                                    for n in range(100000)), "http2_head_bytes")

    def test_F04_Huffman_code_without_end(self):
        field = literal("x", integer(4000, 7, 0x80) + b"\x18\xc6\x31\x8c\x63" * 800)  # "a", five bits each
        self.heads_flood(lambda c: (continuation(1, field * 4, 0) if n else headers(1, c.get(), END_STREAM)
                                    for n in range(100000)), "http2_head_bytes")

    def test_F05_a_table_is_no_way_to_make_much_of_little(self):
        before, client = self.egret.resident_kib(), self.client()
        client.send(headers(1, client.get() + literal("x-bomb", "b" * 3900, INDEXING)))
        self.assert_served(client, client.finish(1))
        for n in range(3, 203, 2):
            client.send(headers(n, client.get() + indexed(62) * 10000))
            stream = client.finish(n)
            if client.goaways:
                break
            self.assertTrue(stream.reset is not None or stream.status == 431, stream)
        self.assert_others_are_served()
        self.assert_grew_less(before, 4 * MIB)

    def test_F05_heads_that_are_held_cost_what_they_are(self):
        before, client = self.egret.resident_kib(), self.client()
        client.send(headers(1, client.get() + literal("x-bomb", "b" * 3900, INDEXING)))
        self.assert_served(client, client.finish(1))
        count = 100
        for n in range(3, 3 + 2 * count, 2):  # 15 references are below 64 KiB
            client.send(headers(n, client.get(path="/hold") + indexed(62) * 15))
        until(lambda: self.egret.metric("egret_requests_active") >= count - 1, "all of them to be with the origin")
        self.assert_grew_less(before, count * 64 * 3)
        client.close()
        self.assert_idle()

    def test_F19_two_thousand_crumbs_of_cookie_are_too_much_and_ten_thousand_the_end(self):
        client, cpu = self.client(), self.cpu_seconds()
        for n in range(1, 41, 2):
            client.send(headers_of(n, client.get() + literal(32, "a=b") * 2000))
            self.assertEqual(client.finish(n).status, 431)
        print("%.0f us each" % ((self.cpu_seconds() - cpu) / 20 * 1e6))
        before = self.hits("http2_head_bytes")
        client.send(headers_of(101, client.get() + literal(32, "a=b") * 10000))
        self.assert_calmed(client, "http2_head_bytes", before)
        self.assert_others_are_served()

    def test_F19_a_thousand_crumbs_are_one_cookie(self):
        client = self.client()
        client.send(headers_of(1, client.get() + literal(32, "a=b") * 1000))
        self.assert_served(client, client.finish(1))
        self.assertEqual(self.requests_of(client)[0].all("cookie"), ["; ".join(["a=b"] * 1000)])

    def test_F19_more_fields_than_the_limit(self):
        client = self.client()
        client.send(headers(1, client.get() + literal("x", "y") * 101))
        self.assertEqual(client.finish(1).status, 431)
        client.send(headers_of(3, client.get() + literal("x", "y") * 10000))
        self.assert_connection_error(client, ENHANCE_YOUR_CALM)
        self.assert_others_are_served()
        self.assertEqual(self.requests_of(client), [])


class WindowsAndBodies(Abuse):
    """F07, F08, F10: windows and bodies."""

    http = {"timeouts": {"write": "1s"}}

    def test_F07_streams_without_a_window_are_buffered_to_a_mark_and_reset_in_time(self):
        before, client, count = self.egret.resident_kib(), self.client((INITIAL_WINDOW_SIZE, 0)), 100
        numbers = range(1, 2 * count, 2)
        for n in numbers:
            client.send(headers(n, client.get(path="/large")))
        client.until(lambda: all(client.stream(n).fields for n in numbers))
        self.assertTrue(client.pinged(b"no data."))
        self.assert_grew_less(before, count * 160)
        for n in numbers:
            self.assert_reset(client, n, CANCEL, INTERNAL_ERROR, NO_ERROR, ENHANCE_YOUR_CALM)
        self.assertEqual({client.stream(n).body for n in numbers}, {b""})
        self.assert_others_are_served()
        self.egret.log_lines(count, detail="client_write_timeout")
        self.assert_idle()

    def test_F07_windows_of_one_byte_are_used_byte_by_byte(self):
        client, numbers = self.client((INITIAL_WINDOW_SIZE, 1)), range(1, 101, 2)
        for n in numbers:
            client.send(headers(n, client.get()))
        client.until(lambda: all(client.stream(n).body for n in numbers))
        for n in numbers:
            client.send(window(n, 1))
        for n in numbers:
            self.assert_served(client, client.finish(n))

    def test_F08_padding_is_no_memory_and_its_window_comes_back(self):
        before, client, count = self.egret.resident_kib(), self.client(), 8000
        client.send(open_headers(1, client.post()))
        client.send_body(1, [b"x"] * count, padding=255)
        self.assert_served(client, client.finish(1))
        self.assertEqual(self.requests_of(client)[0].body, b"x" * count)
        self.assert_grew_less(before, 2 * MIB)

    def test_F10_who_takes_no_notice_of_windows_is_told(self):
        client = self.client()
        client.send(open_headers(1, client.post(path="/hold-it-unread")))
        client.flood(data(1, bytes(16384), False) for _ in range(4000))  # 64 MiB
        stream = client.stream(1)
        client.until(lambda: stream.reset is not None or client.goaways)
        told = stream.reset if stream.reset is not None else client.goaways[-1][1]
        self.assertEqual(told, FLOW_CONTROL_ERROR)
        self.assert_others_are_served()


class Streams(Abuse):
    def test_F09_what_exceeds_the_streams_is_refused_and_nobody_else(self):
        origin = self.gated()
        client, before = self.client_of(origin), self.hits("http2_streams")
        client.until(lambda: client.settings)
        most, beyond = client.settings[MAX_CONCURRENT_STREAMS], 50
        numbers = range(1, 2 * (most + beyond), 2)
        client.send(*[headers(n, client.get()) for n in numbers])
        for n in numbers[most:]:
            self.assert_reset(client, n, REFUSED_STREAM)
        self.assertEqual(self.hits("http2_streams"), before + beyond)
        until(lambda: origin.held == most, "those within the limit to be with the origin")
        origin.gate.set()
        for n in numbers[:most]:
            self.assert_served(client, client.finish(n))
        client.send(headers(numbers[-1] + 2, client.get()))
        self.assert_served(client, client.finish(numbers[-1] + 2))
        self.assertEqual((origin.peak, client.goaways), (most, []))


class Unread(Abuse):
    """64 MiB of a worker's that nobody takes: here, since the destination cannot be reached yet."""

    def destination(self):
        """Where connections wait: the queue is full."""
        server = socket.create_server(("127.0.0.1", 0), backlog=0)
        self.addCleanup(server.close)
        waiting = socket.create_connection(server.getsockname())
        self.addCleanup(waiting.close)
        return "origin.test:%d" % server.getsockname()[1]

    def test_R04_the_fullest_stream_makes_way_and_the_others_wait_on(self):
        authority, before, clients = self.destination(), self.egret.resident_kib(), []
        for _ in range(70):
            client = self.client()
            client.authority = authority
            client.until(lambda: client.granted[0] and client.settings)
            for number in (1, 3, 5, 7):
                pieces = 15 if clients or number > 1 else 16  # 240 KiB, and once 256
                client.send(open_headers(number, client.post()), data(number, bytes(16384), False) * pieces)
            clients.append(client)
        until(lambda: self.hits("http2_unread_streams") >= 1, "the reset of a stream")
        self.assert_reset(clients[0], 1, CANCEL)
        self.assertEqual(self.egret.log_lines(1, source=clients[0].local, detail="overload")[0]["side"], "egret")
        clients[1].pinged(b"still up")
        self.assertFalse(clients[1].stream(1).done)
        self.assert_grew_less(before, 100 * MIB)
        for client in clients:
            client.close()
        self.assert_idle()
        self.assert_others_are_served()


class Handshakes(Abuse):
    """F11: connections that never become any."""

    http = {"timeouts": {"header": "1s", "idle": "2s"}}

    def ends(self, text, answer=True):
        client = self.client(preface=False, answer=answer)
        client.send(text)
        while client.receive():
            pass
        return client

    def test_F11_a_preface_that_stops(self):
        for length in (1, 5, 14, 23):
            self.ends(PREFACE[:length])

    def test_F11_no_SETTINGS(self):
        for rest in (b"", settings((INITIAL_WINDOW_SIZE, 1))[:12]):
            client = self.ends(PREFACE + rest)
            client._take_all()
            self.assertIn(client.goaways[-1][1], (SETTINGS_TIMEOUT, PROTOCOL_ERROR))

    def test_F11_nobody_confirms_our_SETTINGS(self):
        client = self.client(answer=False)
        self.assert_connection_error(client, SETTINGS_TIMEOUT)

    def test_F11_a_head_that_stops(self):
        client = self.client()
        client.send(headers(1, client.get(), END_STREAM))
        client.to_end()
        self.assert_others_are_served()

    def test_F11_a_connection_that_has_served_its_last_request_ends_in_order(self):
        client = self.client()
        self.assert_served(client, client.ask(1))
        client.to_end()
        self.assertEqual(client.goaways[-1], (1, NO_ERROR))

    def test_F11_a_connection_without_requests_ends_in_order(self):
        client = self.client()
        client.to_end()
        self.assertEqual(client.goaways[-1][1], NO_ERROR)
