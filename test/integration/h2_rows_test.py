"""HTTP/2 connections as a whole: rows F12, F13, F16 to F18, F20 and H24 of the catalogue; and how requests and
responses are carried between HTTP/2 clients and HTTP/1 origins."""
import socket
import threading
import time

from h2_case import H2Case, LARGE
from h2_frames import (CANCEL, GREATEST_WINDOW, INITIAL_WINDOW_SIZE, INTERNAL_ERROR, NO_ERROR, PROTOCOL_ERROR,
                       REFUSED_STREAM, block, data, headers, literal, open_headers, rst, window)
from origins import OK, reply, reply_and_close
from waiting import until


class Faults(H2Case):
    """What is wrong with one stream is nothing to the others."""

    FAULTS = {
        "F12 a pseudo-header field twice": lambda c: c.get((":path", "/")),
        "F12 a pseudo-header field that is unknown": lambda c: block([(":what", "x")]) + c.get(),
        "F12 a pseudo-header field that is late": lambda c: block([("x", "y")]) + c.get(),
        "F12 Host is not the authority": lambda c: c.get(("host", "evil.test")),
        "F12 an odd scheme": lambda c: c.replacing(":scheme", "java script"),
        "F12 an odd path": lambda c: c.replacing(":path", "evil.test/"),
        "F13 connection": lambda c: c.get(("connection", "keep-alive")),
        "F13 te": lambda c: c.get(("te", "chunked")),
        "F13 uppercase": lambda c: c.get(("Accept", "*/*")),
        "F13 transfer-encoding": lambda c: c.get(("transfer-encoding", "chunked")),
        "H24 a line end in a value": lambda c: c.get(("x", "y\r\nevil: 1")),
        "H24 a line end in a name": lambda c: c.get(("x: y\r\nevil", "1")),
        "H24 a colon in a name": lambda c: c.get(("evil:", "1")),
        "H24 a line end in the path": lambda c: c.replacing(":path", "/ HTTP/1.1\r\nevil: 1\r\n\r\n"),
        "H24 a line end in the method": lambda c: c.replacing(":method", "GET / HTTP/1.1\r\nevil: 1\r\n\r\nGET"),
        "H24 a line end in the authority": lambda c: c.replacing(":authority", c.authority + "\r\nevil: 1"),
        "H24 content-length of something else": lambda c: c.get(("content-length", "5 evil")),
        "H24 more than one content-length": lambda c: c.get(("content-length", "0"), ("content-length", "7")),
    }

    def test_F12_F13_H24_streams_are_ended_one_by_one_and_no_origin_hears_of_them(self):
        origin, faulty = self.gated(), self.scripted(reply(OK))
        client = self.client_of(origin)
        live = range(1, 41, 2)
        client.send(*[headers(n, client.get()) for n in live])
        until(lambda: len(origin.requests) == 20, "the good ones to be with the origin")
        client.authority = "origin.test:%d" % faulty.port
        for n, (name, make) in zip(range(41, 1000, 2), self.FAULTS.items()):
            with self.subTest(name):
                client.send(headers(n, make(client)))
                stream = client.finish(n)
                self.assertTrue(stream.reset == PROTOCOL_ERROR or stream.status == 400, stream)
        origin.gate.set()
        for n in live:
            self.assert_served(client, client.finish(n))
        self.assertEqual((client.goaways, faulty.received), ([], b""))


class Clients(H2Case):
    """F16, F17: clients that go, clients that stall."""

    def live(self, count=100):
        origin = self.scripted(lambda connection: connection.read_request() and connection.wait_end())
        client = self.client_of(origin)
        client.send(*[headers(n, client.get()) for n in range(1, 2 * count, 2)])
        until(lambda: len(origin.requests) == count, "all of them to be with the origin")
        return origin, client

    def assert_all_cancelled(self, origin, client, count=100):
        began = time.monotonic()
        until(lambda: all(c.ended for c in origin.connections), "the origin's connections to end")
        self.assert_idle()
        print("%d requests cancelled in %.0f ms" % (count, (time.monotonic() - began) * 1000))
        self.egret.log_lines(count, source=client.local, detail="client_gone")

    def test_F16_the_reset_of_a_client_cancels_all_its_requests(self):
        origin, client = self.live()
        client.reset()
        self.assert_all_cancelled(origin, client)

    def test_F16_so_does_its_end(self):
        origin, client = self.live()
        client.close()
        self.assert_all_cancelled(origin, client)

    def test_F16_a_reset_of_each_stream_does_it_too_and_the_connection_serves_on(self):
        origin, client = self.live()
        client.send(*[rst(n) for n in range(1, 200, 2)])
        self.assert_all_cancelled(origin, client)
        client.authority = "origin.test:%d" % self.origin.port
        self.assert_serves_on(client)

    def test_F17_a_reader_that_stalls_hinders_no_other(self):
        def times(stalled):
            client = self.client((INITIAL_WINDOW_SIZE, 0) if stalled else (INITIAL_WINDOW_SIZE, 65535), credit=True)
            client.send(headers(1, client.get(path="/large" if stalled else "/")))
            client.until(lambda: client.stream(1).fields)
            took = []
            for n in range(3, 203, 2):
                began = time.monotonic()
                client.send(headers(n, client.get()), window(n, 10) if stalled else b"")
                self.assert_served(client, client.finish(n))
                took.append(time.monotonic() - began)
            self.assertEqual(client.stream(1).ended, not stalled)
            took.sort()
            return took[50] * 1000, took[98] * 1000
        print("p50 %.2f ms, p99 %.2f ms beside a stalled stream; %.2f and %.2f without" % (*times(True), *times(False)))

    def test_F17_nor_does_one_that_stalls_in_the_middle_of_a_large_response(self):
        client = self.client((INITIAL_WINDOW_SIZE, 40000), credit=False)
        client.send(window(0, GREATEST_WINDOW - 65535), headers(1, client.get(path="/large")))
        client.until(lambda: len(client.stream(1).body) == 40000)
        for n in range(3, 43, 2):
            client.send(headers(n, client.get(path="/large")), window(n, len(LARGE) - 40000))
        for n in range(3, 43, 2):
            self.assert_served(client, client.finish(n), LARGE)
        self.assertEqual(len(client.stream(1).body), 40000)

    def test_F17_an_origin_that_takes_no_upload_hinders_no_other(self):
        def stall(connection):
            connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.read_head()
            done.wait(60)
        done = threading.Event()
        client = self.client_of(self.scripted(stall))
        self.addCleanup(done.set)  # before the origin waits for its script
        client.send(open_headers(1, client.post()))
        self.assertLess(client.fill(1), 32 << 20)
        client.authority = "origin.test:%d" % self.origin.port
        client.send(open_headers(3, client.post()))
        client.send_body(3, [bytes(16384)] * 64)
        self.assert_served(client, client.finish(3))


class Ends(H2Case):
    """F18: connections that have served enough."""

    http = {"limits": {"requests_per_connection": 10}}

    def test_F18_after_its_requests_a_connection_ends_in_order(self):
        client, answered, refused = self.client(), 0, []
        for n in range(1, 61, 2):
            client.send(headers(n, client.get()))
        client.to_end()
        for n in range(1, 61, 2):
            stream = client.stream(n)
            if stream.fields:
                self.assert_served(client, stream)
                answered += 1
            else:
                refused.append(n)
        self.assertEqual({code for _, code in client.goaways}, {NO_ERROR})
        last = client.goaways[-1][0]
        self.assertTrue(all(n > last or client.stream(n).reset == REFUSED_STREAM for n in refused), (last, refused))
        self.assertEqual(len(self.requests_of(client)), answered)
        self.assertGreaterEqual(answered, 10)

    def test_F18_the_last_of_all_stream_numbers_is_served(self):
        client = self.client()
        client.send(headers(GREATEST_WINDOW, client.get()))
        self.assert_served(client, client.finish(GREATEST_WINDOW))


class Drains(H2Case):
    """F20: a proxy that goes."""

    def setUp(self):
        super().setUpClass.__func__(type(self))  # one for each test

    @classmethod
    def setUpClass(cls):
        pass

    def test_F20_what_was_sent_before_the_second_GOAWAY_is_served(self):
        origin = self.gated()
        client = self.client_of(origin)
        client.send(headers(1, client.get()))
        until(lambda: origin.requests, "a request to be with the origin")
        self.egret.terminate()
        sent, number = [1], 3
        while len(client.goaways) < 2:  # a client that takes no notice of the first
            client.send(headers(number, client.get()))
            sent.append(number)
            number += 2
            if len(sent) == 20:
                origin.gate.set()
            if not client.next():
                break
            time.sleep(0.01)
        origin.gate.set()
        client.to_end()
        self.assertEqual(client.goaways[0], (GREATEST_WINDOW, NO_ERROR))
        last, code = client.goaways[-1]
        self.assertEqual(code, NO_ERROR)
        for n in sent:
            if n <= last:
                self.assert_served(client, client.stream(n))
            else:
                self.assertIsNone(client.stream(n).fields, "beyond the last")
        self.assertEqual(len(origin.requests), len([n for n in sent if n <= last]))
        self.assertEqual(self.egret.wait(), 0)

    def test_F20_idle_connections_are_told_and_closed(self):
        clients = [self.client() for _ in range(10)]
        for client in clients:
            self.assert_served(client, client.ask(1))
        self.egret.terminate()
        for client in clients:
            client.to_end()
            self.assertEqual({code for _, code in client.goaways}, {NO_ERROR})
            self.assertEqual(client.goaways[-1][0], 1)
        self.assertEqual(self.egret.wait(), 0)


class Bridge(H2Case):
    """Between HTTP/2 and HTTP/1 (semantics of RFC 9110, fields of RFC 9113 8)."""

    def asked(self, answer, *more, method="GET", script=reply_and_close):
        origin = self.scripted(script(answer) if isinstance(answer, bytes) else answer)
        client = self.client_of(origin)
        client.send(headers(1, block(client.fields(method, None, *more))))
        return client, client.finish(1), origin

    def test_the_request_is_HTTP_1_with_Host_and_Via_and_nothing_of_the_client(self):
        client, _, origin = self.asked(OK, ("user-agent", "me"), ("x-a", "b"), ("x-a", "c"), ("te", "trailers"))
        request = origin.requests[0]
        self.assertEqual(request.start_line, "GET %s HTTP/1.1" % client.path)
        self.assertEqual(request.header("host"), client.authority)
        self.assertEqual((request.all("x-a"), request.header("user-agent")), (["b", "c"], "me"))
        self.assertTrue(request.header("via").startswith("2 "), request)
        self.assertNotIn(b"\n:", request.head)

    def test_the_log_tells_of_HTTP_2(self):
        client, _, _ = self.asked(OK)
        line = self.egret.one_line(source=client.local)
        self.assertEqual((line["protocol"], line["method"], line["status"], line["path"]),
                         ("HTTP/2", "GET", 200, client.path))

    def test_interim_responses_pass(self):
        _, stream, _ = self.asked(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"
                                  b"HTTP/1.1 102 Processing\r\n\r\n" + OK)
        self.assertEqual([fields[0] for fields in stream.interim], [(":status", "103"), (":status", "102")])
        self.assertIn(("link", "</a.css>"), stream.interim[0])
        self.assertEqual((stream.status, stream.body), (200, b"ok"))

    def test_a_body_that_is_expected_to_be_asked_for_is_asked_for(self):
        def script(connection):
            connection.read_head()
            connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            connection.reader.body_of(connection.requests[0])
            connection.send(OK)
        client = self.client_of(self.scripted(script))
        client.send(open_headers(1, client.post(("expect", "100-continue"), ("content-length", "4"))))
        client.until(lambda: client.stream(1).interim or client.stream(1).done)
        self.assertEqual(client.stream(1).interim[0][0], (":status", "100"))
        client.send(data(1, b"body"))
        self.assert_served(client, client.finish(1))

    def test_chunks_become_DATA_and_trailers_trailers(self):
        _, stream, _ = self.asked(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n"
                                  b"3\r\nabc\r\n4\r\ndefg\r\n0\r\nX-Sum: 7\r\n\r\n", ("te", "trailers"))
        self.assertEqual((stream.body, stream.trailers, stream.ended), (b"abcdefg", [("x-sum", "7")], True))
        self.assertIsNone(stream.header("transfer-encoding"))

    def test_trailers_of_a_request_reach_the_origin(self):
        origin = self.scripted(reply_and_close(OK))
        client = self.client_of(origin)
        client.send(open_headers(1, client.post(("trailer", "x-sum"))), data(1, b"body", False),
                    headers(1, block([("x-sum", "4")])))
        self.assert_served(client, client.finish(1))
        self.assertEqual((origin.requests[0].body, origin.requests[0].trailers), (b"body", [("x-sum", "4")]))

    def test_a_body_to_the_end_of_the_connection_is_whole(self):
        def script(connection):
            connection.read_request()
            connection.send(b"HTTP/1.0 200 OK\r\n\r\n" + LARGE[:5000])
            connection.fin()
            connection.wait_end()
        _, stream, _ = self.asked(script)
        self.assertEqual((stream.body, stream.ended), (LARGE[:5000], True))

    def test_a_response_that_breaks_off_is_reset_and_not_ended(self):
        client, stream, _ = self.asked(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        self.assertEqual((stream.status, stream.ended), (200, False))
        self.assertIn(stream.reset, (INTERNAL_ERROR, CANCEL, PROTOCOL_ERROR))
        client.authority = "origin.test:%d" % self.origin.port
        self.assert_serves_on(client)

    def test_responses_without_a_body_end_with_their_head(self):
        for answer, status in ((b"HTTP/1.1 204 No Content\r\n\r\n", 204),
                               (b"HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\nContent-Length: 7\r\n\r\n", 304),
                               (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200)):
            with self.subTest(answer):
                _, stream, _ = self.asked(answer)
                self.assertEqual((stream.status, stream.body, stream.ended), (status, b"", True))

    def test_fields_of_the_origins_connection_stay_there(self):
        _, stream, _ = self.asked(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: X-Hop, keep-alive\r\n"
                                  b"X-Hop: 1\r\nKeep-Alive: timeout=5\r\nProxy-Connection: x\r\nX-Kept: 2\r\n\r\nok")
        self.assertEqual((stream.status, stream.header("x-kept")), (200, "2"))
        for name in ("connection", "x-hop", "keep-alive", "proxy-connection"):
            self.assertIsNone(stream.header(name))
        self.assertTrue(stream.header("via").startswith("1.1 "))

    def test_cookies_of_a_response_stay_apart(self):
        _, stream, _ = self.asked(
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\nok")
        self.assertEqual([v for n, v in stream.fields if n == "set-cookie"], ["a=1", "b=2"])

    def test_an_origin_that_is_not_there_is_a_502_of_that_stream(self):
        free = socket.create_server(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        client = self.client()
        good, client.authority = client.authority, "origin.test:%d" % port
        client.send(headers(1, client.get()))
        stream = client.finish(1)
        self.assertEqual((stream.status, stream.ended), (502, True))
        self.assertIn("connection_refused", stream.header("proxy-status"))
        client.authority = good
        self.assert_serves_on(client)

    def test_an_origin_that_speaks_no_HTTP_is_a_502(self):
        _, stream, _ = self.asked(b"220 mail.test ESMTP\r\n")
        self.assertEqual((stream.status, stream.ended), (502, True))

    def test_requests_of_one_connection_share_the_origins_connections(self):
        origin = self.scripted(reply(OK))
        client = self.client_of(origin)
        for n in range(1, 41, 2):
            self.assert_served(client, client.ask(n))
        self.assertEqual(len(origin.connections), 1)

    def test_the_loop_mark_is_looked_for(self):
        client = self.client_of(self.scripted(reply(OK)))
        client.send(headers(1, client.get(("via", "1.1 other"))))
        self.assert_served(client, client.finish(1))

    def test_names_and_values_arrive_as_they_were_sent(self):
        origin = self.scripted(reply(OK))
        client = self.client_of(origin)
        value = bytes(range(0x21, 0x7F)) + bytes(range(0x80, 0x100))
        client.send(headers(1, client.get() + literal("x-!#$%&'*+.^_`|~0", value.decode("latin-1"))))
        self.assert_served(client, client.finish(1))
        self.assertEqual(origin.requests[0].header("x-!#$%&'*+.^_`|~0"), value.decode("latin-1"))
