"""Rows of HTTP/1 about origins and bodies again, with a client of HTTP/2 before an origin of HTTP/1: H12, H13, H15 to H17,
H19, H20, H28. Each concerns one stream, and the connection serves on."""
import unittest

from h2_case import H2Case
from h2_frames import CANCEL, PROTOCOL_ERROR, block, data, headers, open_headers, rst
from origins import OK, reply, reply_and_close, swallow
from waiting import until

HEAD = b"HTTP/1.1 200 OK\r\n"


class Origins(H2Case):
    def ask(self, client, *more, method="GET", number=1):
        client.send(headers(number, block(client.fields(method, None, *more))))
        return client.finish(number)

    def line(self, client, **fields):
        return self.egret.log_lines(1, source=client.local, path=client.path, **fields)[0]

    def assert_serves_on_elsewhere(self, client):
        client.authority = "origin.test:%d" % self.origin.port
        self.assert_serves_on(client)

    def assert_bad_gateway(self, origin, detail, *more):
        client = self.client_of(origin)
        stream = self.ask(client, *more)
        self.assertEqual((stream.status, stream.ended), (502, True), stream)
        self.assertEqual(self.line(client)["detail"], detail)
        self.assert_serves_on_elsewhere(client)
        return stream

    def test_H12_requests_side_by_side_are_judged_one_by_one(self):
        client, numbers = self.client(), range(1, 199, 2)
        for number in numbers:
            name = "denied.test" if number % 4 == 1 else "origin.test"
            fields = dict(client.fields(path="%s/%d" % (client.path, number)))
            fields[":authority"] = "%s:%d" % (name, self.origin.port)
            client.send(headers(number, block(fields.items())))
        self.assertEqual([client.finish(n).status for n in numbers], [403 if n % 4 == 1 else 200 for n in numbers])
        lines = self.egret.log_lines(len(numbers), source=client.local)
        self.assertEqual({(int(line["path"].rpartition("/")[2]) % 4, line["status"]) for line in lines},
                         {(1, 403), (3, 200)})
        seen = [r.target for r in self.origin.requests if r.target.startswith(client.path + "/")]
        self.assertEqual(sorted(int(t.rpartition("/")[2]) for t in seen), [n for n in numbers if n % 4 == 3])

    def test_H13_what_is_left_of_an_upload_is_never_a_request(self):
        def early(connection):
            connection.read_head()
            connection.send(HEAD + b"Content-Length: 2\r\n\r\nno")
            connection.wait_end()
        origin = self.scripted(early, reply(OK))
        client = self.client_of(origin)
        smuggled = b"GET /smuggled HTTP/1.1\r\nHost: origin.test\r\n\r\n"
        client.send(open_headers(1, client.post(("content-length", str(2 * len(smuggled))))), data(1, smuggled, False))
        stream = client.stream(1)
        client.until(lambda: stream.ended)
        self.assertEqual((stream.status, stream.body), (200, b"no"))
        self.assert_served(client, self.ask(client, number=3))
        self.assertEqual([connection.index for connection in origin.connections], [0, 1])  # the first is not used again
        self.assertEqual([r.target for r in origin.requests], [client.path] * 2)

    def test_H15_a_response_with_two_readings_is_a_502(self):
        for answer, detail in {
            HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n": "upstream_conflicting_framing",
            HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nabc": "upstream_conflicting_framing",
            HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n": "upstream_conflicting_framing",
            HEAD + b"X: a\r\n folded\r\n\r\n": "upstream_malformed",
            HEAD + b"X: a\rSet-Cookie: b\r\nContent-Length: 0\r\n\r\n": "upstream_malformed",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n": "upstream_malformed",
            HEAD[:-4]: "upstream_closed",
        }.items():
            with self.subTest(answer):
                self.assert_bad_gateway(self.scripted(reply_and_close(answer)), detail)

    def test_H15_bytes_after_a_response_never_reach_the_next_stream(self):
        evil = HEAD + b"Content-Length: 4\r\n\r\nevil"
        for answer, method in (
                (OK + evil, "GET"),
                (b"HTTP/1.1 204 No Content\r\nContent-Length: %d\r\n\r\n" % len(evil) + evil, "GET"),
                (HEAD + b"Content-Length: %d\r\n\r\n" % len(evil) + evil, "HEAD"),
                (HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n" + evil, "GET")):
            with self.subTest((answer, method)):
                origin = self.scripted(reply(answer), reply(OK))
                client = self.client_of(origin)
                self.assertNotIn(b"evil", self.ask(client, method=method).body)
                self.assert_served(client, self.ask(client, number=3))

    def test_H15_a_body_that_ends_early_is_reset(self):
        for answer in (HEAD + b"Content-Length: 1000\r\n\r\npart",
                       HEAD + b"Transfer-Encoding: chunked\r\n\r\n4\r\npart\r\n",
                       HEAD + b"Transfer-Encoding: chunked\r\n\r\n4\r\npart\r\n0x5\r\nabcde\r\n0\r\n\r\n"):
            with self.subTest(answer):
                client = self.client_of(self.scripted(reply_and_close(answer)))
                stream = self.ask(client)
                self.assertFalse(stream.ended, stream)
                self.assertNotIn(b"abcde", stream.body)
                self.assertIn(self.line(client)["detail"], ("upstream_truncated", "upstream_malformed"))
                self.assert_serves_on_elsewhere(client)

    def test_H16_interim_responses_are_capped(self):
        origin = self.scripted(reply(b"HTTP/1.1 102 Processing\r\n\r\n" * 10000 + OK))
        stream = self.assert_bad_gateway(origin, "upstream_too_many_interim")
        self.assertLessEqual(len(stream.interim), 16)

    def test_H16_a_switch_that_nobody_asked_for_is_a_502(self):
        origin = self.scripted(reply(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n"))
        self.assert_bad_gateway(origin, "upstream_unasked_101")

    def test_H17_a_response_head_without_end_is_cut_off(self):
        for bomb in (b"X: " + b"a" * (1 << 20) + b"\r\n", b"X: a\r\n" * 10000):
            origin = self.scripted(reply(HEAD + bomb + b"Content-Length: 0\r\n\r\n"))
            self.assert_bad_gateway(origin, "upstream_headers_too_large")

    def test_H19_forbidden_trailers_are_never_merged(self):
        for name, value, malformed in (("content-length", "1", True), ("host", "evil.test", False),
                                       ("authorization", "Basic eA==", False), ("cookie", "a=b", False),
                                       ("proxy-authorization", "Basic eA==", False)):
            with self.subTest(name):
                client = self.client()
                client.send(open_headers(1, client.post(("trailer", "x-sum"))), data(1, b"hello", False),
                            headers(1, block([(name, value), ("x-sum", "1")])))
                if malformed:  # it contradicts what came
                    self.assert_reset(client, 1, PROTOCOL_ERROR)
                    self.assertEqual([r for r in self.requests_of(client) if r.trailers], [])
                    continue
                self.assert_served(client, client.finish(1))
                request = self.requests_of(client)[0]
                self.assertEqual((request.all("host"), request.body), ([client.authority], b"hello"))
                self.assertLessEqual({key for key, _ in request.trailers}, {"x-sum"})
                if name != "host":
                    self.assertIsNone(request.header(name))

    def test_H20_what_an_origins_Connection_names_stays_there(self):
        answer = HEAD + b"Connection: x-hop, keep-alive\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nContent-Length: 2\r\n\r\nok"
        stream = self.ask(self.client_of(self.scripted(reply(answer))))
        self.assertEqual((stream.status, stream.body), (200, b"ok"))
        for name in ("connection", "keep-alive", "x-hop", "transfer-encoding"):
            self.assertIsNone(stream.header(name))

    def test_H28_a_reset_in_an_upload_ends_the_origins_connection_without_completing_it(self):
        origin = self.scripted(lambda connection: connection.read_request())
        client = self.client_of(origin)
        client.send(open_headers(1, client.post()), data(1, b"x" * 10000, False))
        until(lambda: origin.connections and b"x" * 10000 in origin.received, "the body at the origin")
        client.send(rst(1, CANCEL))
        origin.wait_ended()
        self.assertNotIn(b"\r\n0\r\n\r\n", origin.received)
        self.assertEqual((self.line(client)["detail"], len(origin.connections)), ("client_gone", 1))
        self.assert_serves_on_elsewhere(client)

    def test_H28_a_reset_in_a_download_ends_the_origins_connection(self):
        def endless(connection):
            connection.read_request()
            connection.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
            while True:
                connection.send(b"3e8\r\n" + b"x" * 1000 + b"\r\n")
        origin = self.scripted(endless)
        client = self.client_of(origin)
        client.send(headers(1, client.get()))
        client.until(lambda: len(client.stream(1).body) > 10000)
        client.send(rst(1, CANCEL))
        until(lambda: origin.connections[0].closed, "the end of the origin's connection")
        line = self.line(client)
        self.assertEqual((line["detail"], line["side"], line["status"]), ("client_gone", "client", 200))

    def test_H28_a_reset_before_the_response_ends_the_wait(self):
        origin = self.scripted(swallow)
        client = self.client_of(origin)
        client.send(headers(1, client.get()))
        until(lambda: origin.connections and origin.connections[0].received, "the request")
        client.send(rst(1, CANCEL))
        origin.wait_ended()
        self.assertEqual(self.line(client)["detail"], "client_gone")
        self.assert_serves_on_elsewhere(client)


if __name__ == "__main__":
    unittest.main()
