"""Rows H13-H17 and H28 of the catalogue: origins that answer early, wrongly or too much, and clients that go away."""
import time

from harness import ProxyCase, SANITIZED
from origins import OK, reply, reply_and_close, swallow
from waiting import until

LENGTH_5 = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nearly"


class OriginRows(ProxyCase):
    def setUp(self):
        self.start()

    def upload(self, origin, *fields, body=b"", method="POST", path="/"):
        lines = ["%s %s HTTP/1.1" % (method, self.url(origin, path)), "Host: origin.test:%d" % origin.port, *fields]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class EarlyResponses(OriginRows):
    def test_H13_a_response_before_the_body_ends_spoils_the_connection_for_others(self):
        def early(connection):
            connection.read_head()
            connection.send(LENGTH_5)
            connection.wait_end()
        origin = self.origin(early, reply(OK))
        smuggled = b"GET /smuggled HTTP/1.1\r\nHost: origin.test\r\n\r\n"
        client = self.client()
        client.send(self.upload(origin, "Content-Length: %d" % (200000 + len(smuggled)), body=b"x" * 100))
        response = client.read_response()
        self.assert_ok(response, b"early")
        client.send_what_goes(b"x" * 199900 + smuggled)
        self.assert_ok(self.client().get(self.url(origin, "/next")))
        self.assertEqual([r.target for r in origin.requests], ["/", "/next"])
        self.assertEqual(len(origin.connections), 2)
        self.assertNotIn(b"GET /next", origin.connections[0].received)
        self.assertIsNotNone(origin.wait_ended(0))
        self.egret.one_line(source=client.local)

    def test_H13_a_chunked_upload_that_nobody_wants_is_never_parsed_as_a_request(self):
        def early(connection):
            connection.read_head()
            connection.send(LENGTH_5)
            connection.wait_end()
        origin = self.origin(early, reply(OK))
        client = self.client()
        client.send(self.upload(origin, "Transfer-Encoding: chunked", body=b"3\r\nabc\r\n"))
        self.assert_ok(client.read_response(), b"early")
        client.send_what_goes(b"2c\r\nGET http://origin.test/smuggled HTTP/1.1\r\n\r\n\r\n0\r\n\r\n")
        self.assert_ok(self.client().get(self.url(origin, "/next")))
        self.assertEqual([r.target for r in origin.requests], ["/", "/next"])
        self.egret.one_line(source=client.local)

    def test_H14_an_expectation_is_forwarded_and_the_origins_100_comes_back(self):
        def careful(connection):
            while request := connection.read_head():
                connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
                connection.reader.body_of(request)
                connection.send(OK)
        origin = self.origin(careful)
        for spelling in ("100-continue", "100-Continue"):
            client = self.client()
            client.send(self.upload(origin, "Content-Length: 5", "Expect: " + spelling))
            interim = client.reader.head()
            self.assertEqual(interim.status, 100)
            client.send(b"hello")
            response = client.read_response()
            self.assert_ok(response)
            self.assertEqual(response.interim, [])
            self.assertEqual(origin.requests[-1].header("expect").lower(), "100-continue")
            self.assertEqual(origin.requests[-1].body, b"hello")

    def test_H14_a_refused_expectation_ends_the_exchange_and_nothing_is_reused(self):
        for answer in (b"HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n", LENGTH_5):
            with self.subTest(answer[:12]):
                def refuse(connection, answer=answer):
                    connection.read_head()
                    connection.send(answer)
                    connection.wait_end()
                origin = self.origin(refuse, reply(OK))
                client = self.client()
                response = client.ask(self.upload(origin, "Content-Length: 500", "Expect: 100-continue"))
                self.assertEqual((response.status, response.interim), (int(answer[9:12]), []))
                self.assertEqual(response.header("connection"), "close")
                client.send_what_goes(b"GET http://origin.test:%d/smuggled HTTP/1.1\r\n\r\n" % origin.port)
                self.assert_ok(self.client().get(self.url(origin, "/next")))
                self.assertEqual([r.target for r in origin.requests], ["/", "/next"])
                self.assertEqual(len(origin.connections), 2)

    def test_H14_an_origin_that_says_nothing_gets_the_body_after_a_second(self):
        origin = self.origin()  # reads all of the request before it answers
        client = self.client()
        began = time.monotonic()
        client.send(self.upload(origin, "Content-Length: 5", "Expect: 100-continue"))
        self.assertEqual(client.reader.head().status, 100)
        waited = time.monotonic() - began
        print("100 after %.3f s" % waited)
        self.assertGreater(waited, 0.8)
        client.send(b"hello")
        self.assert_ok(client.read_response())

    def test_H14_odd_expectations(self):
        origin = self.origin()
        client = self.client()
        self.assert_refused(client, client.ask(self.upload(origin, "Content-Length: 0", "Expect: a-miracle")),
                            "http1.unknown_expectation")
        for fields in (("Content-Length: 0", "Expect: 100-continue"), ("Expect: 100-continue",),
                       ("Content-Length: 5", "Expect: 100-continue", "Expect: 100-continue")):
            with self.subTest(fields):
                body = b"hello" if "Content-Length: 5" in fields else b""
                response = self.client().ask(self.upload(origin, *fields, body=body))
                self.assertIn(response.status, (200, 417), response)
        old = self.client().ask(self.upload(origin, "Content-Length: 5", "Expect: 100-continue", body=b"hello")
                                .replace(b"HTTP/1.1", b"HTTP/1.0"))
        self.assertEqual((old.status, old.interim), (200, []))


class WrongResponses(OriginRows):
    def test_H15_a_response_with_two_readings_is_a_502(self):
        ok = b"HTTP/1.1 200 OK\r\n"
        for answer, detail in {
            ok + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n": "upstream_conflicting_framing",
            ok + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nabc": "upstream_conflicting_framing",
            ok + b"Content-Length: 2, 3\r\n\r\nabc": "upstream_conflicting_framing",
            ok + b"Content-Length: +2\r\n\r\nok": "upstream_conflicting_framing",
            ok + b"Transfer-Encoding: chunked, identity\r\n\r\n": "upstream_conflicting_framing",
            ok + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n": "upstream_conflicting_framing",
            ok + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n": "upstream_malformed",
            ok + b"X: a\r\n folded\r\n\r\n": "upstream_malformed",
            ok + b"X: a\0b\r\n\r\n": "upstream_malformed",
            ok + b"X: a\rSet-Cookie: b\r\nContent-Length: 0\r\n\r\n": "upstream_malformed",
            ok.replace(b"\r\n", b"\n") + b"Content-Length: 0\n\n": "upstream_malformed",
            b"HTTP/1.1 20 OK\r\n\r\n": "upstream_malformed",
            b"HTTP/1.1 2000 OK\r\n\r\n": "upstream_malformed",
            b"HTTP/3.0 200 OK\r\n\r\n": "upstream_malformed",
            b"ICY 200 OK\r\n\r\n": "upstream_malformed",
            b"SSH-2.0-OpenSSH_9.2\r\n": "upstream_malformed",
            b"\x15\x03\x03\x00\x02\x02\x28": "upstream_malformed",
            b"HTTP/1.1 200 OK\r\nContent-Le": "upstream_closed",
            b"": "upstream_closed",
        }.items():
            with self.subTest(answer):
                origin = self.origin(reply_and_close(answer))
                client = self.client()
                self.assert_refused(client, client.get(self.url(origin)), detail)

    def test_H15_bytes_after_a_response_never_reach_the_next_client(self):
        evil = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
        for answer, method in (
            (OK + evil, "GET"),
            (b"HTTP/1.1 204 No Content\r\nContent-Length: %d\r\n\r\n" % len(evil) + evil, "GET"),
            (b"HTTP/1.1 304 Not Modified\r\nContent-Length: %d\r\n\r\n" % len(evil) + evil, "GET"),
            (b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(evil) + evil, "HEAD"),
            (b"HTTP/1.1 204 No Content\r\n\r\n" + evil, "GET"),
            (b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n" + evil, "GET"),
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n" + evil, "GET"),
        ):
            with self.subTest((answer, method)):
                origin = self.origin(reply(answer), reply(OK))
                client = self.client()
                first = client.ask(self.upload(origin, method=method))
                self.assertIn(first.status, (200, 204, 304, 502))
                self.assertNotIn(b"evil", first.body)
                second = client if first.header("connection") != "close" else self.client()
                self.assert_ok(second.get(self.url(origin, "/next")))
                self.assertEqual(origin.connections[-1].index, 1)

    def test_H15_a_body_that_ends_early_ends_visibly_early(self):
        for answer in (b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\npart",
                       b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n",
                       b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n0x5\r\nabcde\r\n0\r\n\r\n"):
            with self.subTest(answer):
                origin = self.origin(reply_and_close(answer))
                client = self.client()
                client.send(self.upload(origin, method="GET"))
                everything = client.reader.to_end()
                self.assertNotIn(b"\r\n0\r\n\r\n", everything)
                self.assertNotIn(b"abcde", everything)
                line = self.egret.one_line(source=client.local)
                self.assertIn(line["detail"], ("upstream_truncated", "upstream_malformed"))
                self.assertEqual(line["side"], "upstream")

    def test_H16_interim_responses_are_capped(self):
        origin = self.origin(reply(b"HTTP/1.1 102 Processing\r\n\r\n" * 10000 + OK))
        client = self.client()
        response = client.get(self.url(origin))
        self.assert_refused(client, response, "upstream_too_many_interim")
        self.assertLessEqual(len(response.interim), 16)

    def test_H16_a_switch_that_nobody_asked_for_is_a_502(self):
        switch = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: %s\r\n\r\nraw"
        origin = self.origin(reply(switch % b"websocket"))
        client = self.client()
        self.assert_refused(client, client.get(self.url(origin)), "upstream_unasked_101")
        origin = self.origin(reply(switch % b"h2c"))
        client = self.client()
        response = client.get(self.url(origin), "Connection: upgrade", "Upgrade: websocket")
        self.assert_refused(client, response, "upstream_bad_upgrade")

    def test_H16_a_200_to_an_upgrade_is_an_ordinary_response(self):
        origin = self.origin(reply(OK))
        client = self.client()
        self.assert_ok(client.get(self.url(origin), "Connection: upgrade", "Upgrade: websocket"))
        self.assert_ok(client.get(self.url(origin)))

    def test_H17_a_response_head_without_end_is_cut_off(self):
        before = self.egret.resident_kib()
        for bomb in (b"X: " + b"a" * (1 << 20) + b"\r\n", b"X: a\r\n" * 10000):
            origin = self.origin(reply(b"HTTP/1.1 200 OK\r\n" + bomb + b"Content-Length: 0\r\n\r\n"))
            client = self.client()
            self.assert_refused(client, client.get(self.url(origin)), "upstream_headers_too_large")
        grown = self.egret.resident_kib() - before
        print("resident memory grew by %d KiB" % grown)
        if not SANITIZED:
            self.assertLess(grown, 8 << 10)


class ClientsThatLeave(OriginRows):
    def assert_descriptors_return_to(self, count):
        until(lambda: self.egret.descriptors() <= count,
              lambda: "%d descriptors, has %d" % (count, self.egret.descriptors()))

    def test_H28_a_reset_in_an_upload_ends_the_origins_connection_without_completing_it(self):
        for leave in ("reset", "fin"):
            with self.subTest(leave):
                before = self.egret.descriptors()
                origin = self.origin(lambda connection: connection.read_request())
                client = self.client()
                client.send(self.upload(origin, "Content-Length: 100000", body=b"x" * 50000))
                connection = origin.wait_connection()
                until(lambda: b"x" * 1000 in connection.received, "some of the body")
                began = time.monotonic()
                getattr(client, leave)()
                origin.wait_ended()
                print("%s: the origin was told after %.0f ms" % (leave, (time.monotonic() - began) * 1000))
                line = self.egret.one_line(source=client.local)
                self.assertEqual((line["detail"], line["side"]),
                                 ("client_gone" if leave == "reset" else "client_ended_early", "client"))
                self.assertEqual(len(origin.connections), 1)
                client.close()
                self.assert_descriptors_return_to(before)

    def test_H28_a_fin_in_a_chunked_upload_never_becomes_a_last_chunk(self):
        origin = self.origin(lambda connection: connection.read_request())
        client = self.client()
        client.send(self.upload(origin, "Transfer-Encoding: chunked", body=b"5\r\nhello\r\n"))
        connection = origin.wait_connection()
        until(lambda: b"hello" in connection.received, "the first chunk")
        client.fin()
        origin.wait_ended()
        self.assertNotIn(b"0\r\n\r\n", connection.received)
        self.assertEqual(self.egret.one_line(source=client.local)["detail"], "client_ended_early")

    def test_H28_a_reset_in_a_download_ends_the_origins_connection(self):
        before = self.egret.descriptors()

        def endless(connection):
            connection.read_request()
            connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            while True:
                connection.send(b"3e8\r\n" + b"x" * 1000 + b"\r\n")
        origin = self.origin(endless)
        client = self.client()
        client.send(self.upload(origin, method="GET"))
        client.reader.exactly(100000)
        client.reset()
        line = self.egret.one_line(source=client.local)
        self.assertEqual((line["detail"], line["side"], line["status"]), ("client_gone", "client", 200))
        until(lambda: origin.connections[0].closed, "the end of the origin's connection")
        self.assert_descriptors_return_to(before)

    def test_H28_a_client_that_leaves_before_the_response_ends_the_wait(self):
        before = self.egret.descriptors()
        for leave in ("reset", "close"):
            with self.subTest(leave):
                origin = self.origin(swallow)
                client = self.client()
                client.send(self.upload(origin, method="GET"))
                until(lambda: origin.connections and origin.connections[0].received, "the request")
                getattr(client, leave)()
                origin.wait_ended()
                self.assertEqual(self.egret.one_line(source=client.local)["detail"], "client_gone")
        self.assert_descriptors_return_to(before)
