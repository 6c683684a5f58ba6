"""CONNECT over HTTP/2: rows T16 and T17 of the catalogue (RFC 9113 8.5). A tunnel is a stream, and no other stream's
matter."""
import socket
import threading
import time

from h2_case import H2Case
from h2_frames import (CANCEL, CONNECT_ERROR, END_HEADERS, GREATEST_WINDOW, INITIAL_WINDOW_SIZE, NO_ERROR,
                       PROTOCOL_ERROR, block, data, frame, headers, open_headers, priority, rst, window)
from origins import echo, swallow
from tls_hello import client_hello, records
from waiting import until


class Tunnels(H2Case):
    def open(self, client, origin, number=1, name="origin.test"):
        client.send(open_headers(number, client.connect("%s:%d" % (name, origin.port))))
        stream = client.stream(number)
        client.until(lambda: stream.fields or stream.done)
        self.assertEqual((stream.status, stream.ended, stream.reset), (200, False, None), stream)
        return stream

    def tunnel(self, script=echo, number=1):
        origin, client = self.scripted(script), self.client()
        return client, self.open(client, origin, number), origin

    def exchange(self, client, number, payload):
        """The payload goes there and comes back."""
        stream = client.stream(number)
        wanted = stream.body + payload
        client.send(data(number, payload, False))
        client.until(lambda: len(stream.body) >= len(wanted) or stream.done)
        self.assertEqual(stream.body, wanted)

    def log_line(self, client, **fields):
        return self.egret.log_lines(1, source=client.local, kind="tunnel", **fields)[0]

    # --- What opens and what does not.

    def test_T16_200_says_nothing_of_a_body(self):
        client, stream, _ = self.tunnel()
        self.assertIsNone(stream.header("content-length"))
        self.assertIsNone(stream.header("transfer-encoding"))
        self.exchange(client, 1, b"\0there and back")

    def test_T16_a_refusal_is_a_response_with_a_body_and_the_connection_serves_on(self):
        client = self.client()
        client.send(open_headers(1, client.connect("denied.test:443")))
        stream = client.finish(1)
        self.assertEqual((stream.status, stream.ended), (403, True))
        self.assertIn("http_request_denied", stream.header("proxy-status"))
        self.assertIn(stream.reset, (None, NO_ERROR))
        self.assert_serves_on(client)

    def test_T16_an_origin_that_is_not_there_is_a_502(self):
        free = socket.create_server(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        client = self.client()
        client.send(open_headers(1, client.connect("origin.test:%d" % port)))
        stream = client.finish(1)
        self.assertEqual(stream.status, 502)
        self.assertIn("connection_refused", stream.header("proxy-status"))
        self.assert_serves_on(client)

    def test_T16_what_comes_before_the_200_is_passed_on_behind_it(self):
        client, origin = self.client(), self.scripted(echo)
        client.send(open_headers(1, client.connect("origin.test:%d" % origin.port)), data(1, b"\0early", False))
        stream = client.stream(1)
        client.until(lambda: stream.body == b"\0early" or stream.done)
        self.assertEqual((stream.status, stream.body), (200, b"\0early"))

    def test_T16_TLS_passes_whose_name_agrees_and_no_other(self):
        hello = records(client_hello("origin.test"))
        client, stream, origin = self.tunnel(swallow)
        client.send(data(1, hello, False))
        until(lambda: origin.received == hello, "the ClientHello to be with the origin")
        client.send(open_headers(3, client.connect("origin.test:%d" % origin.port)))
        client.until(lambda: client.stream(3).fields)
        client.send(data(3, records(client_hello("second.test")), False))
        other = client.finish(3)
        self.assertEqual((other.body[:1], other.body[6:]), (b"\x15", b"\x31"), other)  # fatal access_denied
        self.assertEqual(self.egret.log_lines(1, source=client.local, detail="sni_mismatch")[0]["kind"], "tunnel")
        self.assertIsNone(stream.reset)
        self.assert_serves_on(client)

    def test_T16_HTTP_in_clear_is_judged_request_by_request(self):
        client = self.client()
        stream = self.open(client, self.origin)
        client.send(data(1, b"GET /inner HTTP/1.1\r\nHost: origin.test:%d\r\n\r\n" % self.origin.port, False))
        client.until(lambda: b"\r\n\r\nok" in stream.body or stream.done)
        self.assertTrue(stream.body.startswith(b"HTTP/1.1 200 OK\r\n"), stream)
        client.send(data(1, b"GET /inner HTTP/1.1\r\nHost: denied.test\r\n\r\n", False))
        client.until(lambda: b" 421 " in stream.body or stream.done)
        self.assertIn(b"HTTP/1.1 421 ", stream.body)

    # --- How they end.

    def test_T16_END_STREAM_is_a_FIN_and_the_other_way_stays_open(self):
        def late(connection):
            connection.wait_end()
            connection.send(b"after the end: %d" % len(connection.received))
        client, stream, origin = self.tunnel(late)
        client.send(data(1, b"\0hello"))
        self.assertEqual(client.finish(1).body, b"after the end: 6")
        self.assertEqual((stream.ended, stream.reset, origin.connections[0].ended), (True, None, "fin"))
        line = self.log_line(client)
        self.assertEqual((line["status"], line["carries"]), (200, "other"))

    def test_T16_a_FIN_is_END_STREAM_and_uploads_go_on(self):
        def early(connection):
            connection.send(b"\0bye")
            connection.fin()
            connection.wait_end()
        client, stream, origin = self.tunnel(early)
        client.until(lambda: stream.ended)
        self.assertEqual((stream.body, stream.reset), (b"\0bye", None))
        client.send(data(1, b"\0still ", False), data(1, b"here"))
        self.assertEqual(origin.wait_ended(), "fin")
        self.assertEqual(origin.received, b"\0still here")

    def test_T16_a_reset_of_the_origin_is_CONNECT_ERROR(self):
        def script(connection):
            connection.reader.more()
            connection.reset()
        client, stream, _ = self.tunnel(script)
        client.send(data(1, b"\0x", False))
        self.assert_reset(client, 1, CONNECT_ERROR)
        self.assertFalse(stream.ended)
        self.assert_serves_on(client)

    def test_T16_RST_STREAM_is_a_reset_and_no_FIN(self):
        for code in (CANCEL, CONNECT_ERROR, NO_ERROR):
            with self.subTest(code):
                client, _, origin = self.tunnel()
                self.exchange(client, 1, b"\0x")
                client.send(rst(1, code))
                self.assertEqual(origin.wait_ended(), "rst")
                self.assert_serves_on(client)

    def test_T16_the_end_of_the_connection_resets_its_tunnels(self):
        client, origin = self.client(), self.scripted(swallow)
        for n in range(1, 21, 2):
            self.open(client, origin, n)
            client.send(data(n, b"\0x", False))
        until(lambda: len(origin.received) == 20, "all bytes to be with the origin")
        client.reset()
        for n in range(10):
            self.assertEqual(origin.wait_ended(n), "rst")
        until(lambda: self.egret.metric("egret_tunnels_active") == 0, "no tunnel to be left")

    # --- What may not be sent.

    def test_T16_HEADERS_behind_the_first_are_a_stream_error(self):
        for flags in (END_HEADERS, END_HEADERS | 1):
            with self.subTest(flags):
                client, stream, _ = self.tunnel()
                self.exchange(client, 1, b"\0x")
                client.send(headers(1, block([("x-trailer", "y")]), flags))
                self.assert_reset(client, 1, PROTOCOL_ERROR)
                self.assert_serves_on(client)

    def test_T16_other_frames_of_the_stream_do_not_disturb_it(self):
        client, stream, _ = self.tunnel()
        client.send(priority(1), window(1, 1000), frame(0x70, 0, 1, b"what"))
        self.exchange(client, 1, b"\0x")

    def test_T17_a_path_a_scheme_or_a_protocol_alone_is_a_stream_error(self):
        origin, client = self.scripted(echo), self.client()
        target = (":authority", "origin.test:%d" % origin.port)
        self.open(client, origin, 1)
        for n, more in ((3, [(":path", "/")]), (5, [(":scheme", "https")]), (7, [(":scheme", "http"), (":path", "/")]),
                        (9, [(":protocol", "websocket")])):
            client.send(open_headers(n, block([(":method", "CONNECT"), target, *more])))
            self.assert_reset(client, n, PROTOCOL_ERROR)
        self.exchange(client, 1, b"\0the first lives")
        self.assertEqual(len(origin.connections), 1)

    # --- Many.

    def test_T16_a_hundred_tunnels_of_one_connection_and_one_that_is_stalled(self):
        origin, client = self.scripted(echo), self.client((INITIAL_WINDOW_SIZE, 30000), credit=True)
        for n in range(1, 201, 2):
            self.open(client, origin, n)
        client.credit = False
        client.send(window(0, GREATEST_WINDOW - 65535))
        room = 30000
        client.send(*[data(1, b"\0" + bytes(9999), False) for _ in range(6)])  # more than comes back
        client.until(lambda: len(client.stream(1).body) == room)
        took = []
        for round_ in range(3):
            for n in range(3, 201, 2):
                began = time.monotonic()
                self.exchange(client, n, b"\0round %d of tunnel %d" % (round_, n))
                took.append(time.monotonic() - began)
        print("p99 %.2f ms beside a stalled tunnel" % (sorted(took)[len(took) * 99 // 100] * 1000))
        client.send(window(1, 100000))
        client.until(lambda: len(client.stream(1).body) == 60000)
        for n in range(1, 201, 2):
            client.send(data(n))
        for n in range(1, 201, 2):
            self.assertTrue(client.finish(n).ended)
        until(lambda: self.egret.metric("egret_tunnels_active") == 0, "no tunnel to be left")

    def test_T16_an_upload_into_a_stalled_origin_stops_and_its_siblings_go_on(self):
        def stall(connection):
            connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            done.wait(60)
        done = threading.Event()
        client, stalled, lively = self.client(), self.scripted(stall), self.scripted(echo)
        self.addCleanup(done.set)  # before the origin waits for its script
        self.open(client, stalled, 1)
        self.open(client, lively, 3)
        self.assertLess(client.fill(1), 32 << 20)
        for n in range(20):
            self.exchange(client, 3, b"\0lively %d" % n)

    def test_T16_large_transfers_both_ways_are_whole(self):
        client, stream, _ = self.tunnel()
        client.credit = True
        payload = b"\0" + bytes(range(256)) * 8192
        client.send_body(1, [payload[at:at + 16000] for at in range(0, len(payload), 16000)])
        self.assertEqual(client.finish(1).body, payload)
        line = self.log_line(client)
        self.assertGreaterEqual(line["received_bytes"], len(payload))
        self.assertGreaterEqual(line["sent_bytes"], len(payload))
