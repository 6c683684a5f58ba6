"""WebSocket over HTTP/2 by extended CONNECT (RFC 8441), to origins that speak HTTP/1.1. Row T17 of the catalogue."""
import socket
import unittest

from h2_case import H2Case
from h2_frames import CANCEL, NO_ERROR, PROTOCOL_ERROR, block, data, headers, open_headers, rst, window
from origins import reply_and_close
from waiting import until
from ws import SAMPLE_KEY, ask, ask_fields, switches, switching


class ToHttp1(H2Case):
    def chat(self, script, *more, **other):
        origin = self.scripted(script)
        client = self.client_of(origin)
        return client, ask(client, 1, *more, **other), origin

    def hear(self, client, stream, body):
        client.until(lambda: len(stream.body) >= len(body) or stream.done)
        self.assertEqual(stream.body, body)

    def line(self, client, **fields):
        return self.egret.log_lines(1, source=client.local, event="end", **fields)[0]

    # --- The handshake.

    def test_T17_extended_CONNECT_is_offered(self):
        client = self.client()
        client.until(lambda: client.settings_acks)
        self.assertEqual(client.settings[8], 1)

    def test_T17_an_extended_CONNECT_is_a_GET_with_Upgrade_at_the_origin(self):
        client, stream, origin = self.chat(switches("Sec-WebSocket-Protocol: b", then=b"hi"),
                                           ("sec-websocket-protocol", "a, b"), ("origin", "http://page.test"),
                                           ("sec-websocket-extensions", "permessage-deflate"), path="/chat?room=1")
        self.assertEqual((stream.status, stream.ended, stream.reset), (200, False, None), stream)
        self.assertEqual(stream.header("sec-websocket-protocol"), "b")
        for name in ("sec-websocket-accept", "upgrade", "connection", "content-length"):
            self.assertIsNone(stream.header(name), name)
        seen = origin.requests[0]
        self.assertEqual(seen.start_line, "GET /chat?room=1 HTTP/1.1")
        self.assertEqual([seen.header(name) for name in ("host", "upgrade", "connection", "sec-websocket-version",
                                                         "sec-websocket-protocol", "sec-websocket-extensions",
                                                         "origin", "content-length", "transfer-encoding")],
                         [client.authority, "websocket", "Upgrade", "13", "a, b", "permessage-deflate",
                          "http://page.test", None, None])
        self.assertEqual(len(seen.header("sec-websocket-key")), 24)
        self.hear(client, stream, b"hi")
        client.send(data(1, b"\x00there\xff", False))
        self.hear(client, stream, b"hi\x00THERE\xff")
        self.assert_serves_on_beside(client)

    def test_T17_each_handshake_has_a_key_of_its_own_and_never_the_clients(self):
        client, stream, origin = self.chat(switches(), ("sec-websocket-key", SAMPLE_KEY),
                                           ("sec-websocket-key", "x"))
        other = ask(client, 3)
        self.assertEqual((stream.status, other.status), (200, 200))
        keys = [key for request in origin.wait_requests(2) for key in request.all("sec-websocket-key")]
        self.assertEqual(len(set(keys) - {SAMPLE_KEY, "x"}), 2)

    def test_T17_what_comes_before_the_answer_is_passed_on_behind_it(self):
        def late(connection):
            request = connection.read_request()
            proceed.recv(1)
            connection.send(switching(request.header("sec-websocket-key")))
            connection.send(connection.reader.exactly(5).upper())
            connection.wait_end()
        proceed, go = socket.socketpair()
        self.addCleanup(proceed.close)
        self.addCleanup(go.close)
        origin, client = self.scripted(late), self.client()
        client.authority = "origin.test:%d" % origin.port
        client.send(open_headers(1, block(ask_fields(client.authority, "/"))), data(1, b"early", False))
        origin.wait_requests(1)
        self.assert_serves_on_beside(client)
        self.assertIsNone(client.stream(1).fields)
        go.send(b"x")
        self.hear(client, client.stream(1), b"EARLY")

    def assert_serves_on_beside(self, client):
        client.authority = "origin.test:%d" % self.origin.port
        self.assert_serves_on(client)

    def test_T17_interim_responses_pass_before_it(self):
        def script(connection):
            request = connection.read_request()
            connection.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
            connection.send(switching(request.header("sec-websocket-key")))
            connection.wait_end()
        _, stream, _ = self.chat(script)
        self.assertEqual((stream.status, [dict(fields)[":status"] for fields in stream.interim]), (200, ["103"]))

    # --- What is no switch.

    def refused(self, script, status, **log):
        client, stream, origin = self.chat(script)
        client.finish(1)
        self.assertEqual((stream.status, stream.ended), (status, True), stream)
        self.assertIn(stream.reset, (None, NO_ERROR))
        self.line(client, kind="request", method="GET", path="/chat", status=status, **log)
        self.assert_serves_on_beside(client)
        return stream, origin

    def test_T17_a_refusal_of_the_origin_is_its_response(self):
        answer = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\nX-Why: no\r\n\r\nno!"
        stream, _ = self.refused(reply_and_close(answer), 403)
        self.assertEqual((stream.body, stream.header("x-why")), (b"no!", "no"))
        for status in (302, 404, 426, 503):
            with self.subTest(status):
                self.refused(reply_and_close(b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % status), status)

    def test_T17_a_response_that_would_open_a_tunnel_is_a_502(self):
        for answer in (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", b"HTTP/1.1 204 No Content\r\n\r\n"):
            with self.subTest(answer):
                stream, origin = self.refused(reply_and_close(answer), 502, detail="upstream_bad_upgrade")
                self.assertIn("http_upgrade_failed", stream.header("proxy-status"))
                self.assertNotIn(b"hello", stream.body)

    def test_T17_a_101_that_does_not_answer_the_handshake_is_a_502(self):
        for name, script in (
                ("another key's accept", lambda c: (c.read_request(), c.send(switching(SAMPLE_KEY)), c.wait_end())),
                ("no accept", switches(without=("Sec-WebSocket-Accept",))),
                ("two accepts", switches("Sec-WebSocket-Accept: x")),
                ("no Upgrade", switches(without=("Upgrade",))),
                ("another Upgrade", switches("Upgrade: h2c", without=("Upgrade",))),
                ("two Upgrades", switches("Upgrade: h2c")),
                ("no Connection", switches(without=("Connection",))),
                ("another Connection", switches("Connection: close", without=("Connection",)))):
            with self.subTest(name):
                stream, origin = self.refused(script, 502, detail="upstream_bad_upgrade")
                self.assertIn("http_upgrade_failed", stream.header("proxy-status"))
                self.assertIsNotNone(origin.wait_ended())

    def test_T17_an_origin_that_says_nothing_or_goes_is_a_502(self):
        self.refused(lambda connection: (connection.read_request(), connection.close()), 502,
                     detail="upstream_closed")

    def test_T17_a_client_that_gives_up_takes_its_handshake_with_it(self):
        origin = self.scripted(lambda connection: (connection.read_request(), connection.wait_end()))
        client = self.client_of(origin)
        client.send(open_headers(1, block(ask_fields(client.authority, "/"))))
        origin.wait_requests(1)
        client.send(rst(1, CANCEL))
        self.assertIsNotNone(origin.wait_ended())
        self.assert_serves_on_beside(client)

    def test_T17_what_no_rule_allows_is_a_403(self):
        client = self.client()
        client.authority = "denied.test:80"
        stream = ask(client, 1)
        client.finish(1)
        self.assertEqual((stream.status, stream.ended), (403, True))
        self.assertIn("http_request_denied", stream.header("proxy-status"))
        self.line(client, kind="request", method="GET", status=403)

    def test_T17_another_protocol_is_a_501(self):
        for protocol in ("connect-udp", "h2c", "websocket2", "web\tsocket", "*"):
            with self.subTest(protocol):
                client = self.client()
                stream = ask(client, 1, protocol=protocol)
                client.finish(1)
                self.assertEqual((stream.status, stream.ended), (501, True), stream)
                self.assertIsNotNone(stream.header("proxy-status"))
                self.line(client, status=501, detail="http2.unknown_protocol")
                self.assert_serves_on(client)

    def test_T17_a_malformed_one_is_a_stream_error(self):
        client = self.client()
        good = ask_fields(client.authority, "/")
        cases = [[field for field in good if field[0] != name] for name in (":scheme", ":path", ":authority")]
        cases += [good + [field] for field in (("upgrade", "websocket"), ("connection", "upgrade"),
                                               ("host", "other.test"), ("content-length", "5"))]
        cases += [[(":protocol", "websocket")] + good, [(":protocol", "websocket")] + client.fields()]
        for number, fields in enumerate(cases):
            with self.subTest(fields):
                client.send(open_headers(2 * number + 1, block(fields)))
                self.assert_reset(client, 2 * number + 1, PROTOCOL_ERROR)
        self.assert_serves_on(client)
        self.assertEqual(self.requests_of(client), [])

    # --- The tunnel.

    def test_T17_END_STREAM_is_a_FIN_both_ways(self):
        client, stream, origin = self.chat(switches())
        client.send(data(1, b"bye"))
        client.finish(1)
        self.assertEqual((stream.body, stream.ended, stream.reset), (b"BYE", True, None))
        self.assertEqual(origin.connections[0].ended, "fin")
        line = self.line(client, kind="tunnel")
        self.assertEqual([line.get(name) for name in ("protocol", "method", "path", "status", "carries",
                                                      "close_reason")],
                         ["HTTP/2", "GET", "/chat", 200, "websocket", "client_fin"])
        self.assertGreaterEqual(line["received_bytes"], 3)

    def test_T17_a_FIN_of_the_origin_is_END_STREAM_and_the_client_may_go_on(self):
        def script(connection):
            request = connection.read_request()
            connection.send(switching(request.header("sec-websocket-key")) + b"bye")
            connection.fin()
            connection.wait_end()
        client, stream, origin = self.chat(script)
        client.until(lambda: stream.ended)
        client.send(data(1, b"still here"))
        self.assertEqual(origin.wait_ended(), "fin")
        self.assertTrue(origin.received.endswith(b"still here"))

    def test_T17_a_reset_of_the_origin_is_CANCEL(self):
        def script(connection):
            request = connection.read_request()
            connection.send(switching(request.header("sec-websocket-key")))
            connection.reader.more()
            connection.reset()
        client, stream, _ = self.chat(script)
        client.send(data(1, b"x", False))
        self.assert_reset(client, 1, CANCEL)
        self.assertFalse(stream.ended)
        self.assert_serves_on_beside(client)

    def test_T17_RST_STREAM_is_a_reset(self):
        client, stream, origin = self.chat(switches())
        client.send(data(1, b"x", False))
        self.hear(client, stream, b"X")
        client.send(rst(1, CANCEL))
        self.assertEqual(origin.wait_ended(), "rst")
        self.assert_serves_on_beside(client)

    def test_T17_no_field_section_may_follow(self):
        client, stream, origin = self.chat(switches())
        client.send(headers(1, block([("x-trailer", "y")])))
        self.assert_reset(client, 1, PROTOCOL_ERROR)
        self.assertEqual(origin.wait_ended(), "rst")
        self.assert_serves_on_beside(client)

    def test_T17_a_slow_reader_stops_the_origin_and_no_other_stream(self):
        payload = bytes(range(256)) * 8192

        def script(connection):
            request = connection.read_request()
            connection.send(switching(request.header("sec-websocket-key")) + payload)
            connection.fin()
            connection.wait_end()
        client, stream, _ = self.chat(script)
        client.until(lambda: len(stream.body) == 65535)
        client.credit = True
        client.send(window(0, 65535), window(1, 65535))
        self.hear(client, stream, payload)

    def test_T17_tunnels_are_counted_until_they_end(self):
        client, stream, _ = self.chat(switches())
        until(lambda: self.egret.metric("egret_tunnels_active") >= 1, "a tunnel to be open")
        client.send(data(1))
        client.finish(1)
        until(lambda: self.egret.metric("egret_tunnels_active") == 0, "no tunnel to be left")


if __name__ == "__main__":
    unittest.main()
