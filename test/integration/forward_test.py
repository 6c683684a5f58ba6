"""Plain forwarding: what the origin sees of a request and the client of a response."""
import hashlib
import os
import re

from harness import ProxyCase, allow, deny
from origins import OK, reply, reply_and_close


class ForwardTest(ProxyCase):
    def test_a_get_reaches_the_origin_in_origin_form_with_host_and_via(self):
        self.start()
        origin = self.origin()
        response = self.client().get(self.url(origin, "/a/b?c=d"))
        self.assert_ok(response)
        request = origin.wait_requests(1)[0]
        self.assertEqual(request.start_line, "GET /a/b?c=d HTTP/1.1")
        self.assertEqual(request.all("host"), ["origin.test:%d" % origin.port])
        self.assertRegex(request.header("via"), r"^1\.1 \S+$")
        self.assertRegex(response.header("via"), r"^1\.1 \S+$")

    def test_many_requests_use_one_connection_on_either_side(self):
        self.start()
        origin = self.origin()
        client = self.client()
        for n in range(20):
            self.assert_ok(client.get(self.url(origin, "/%d" % n)))
        self.assertEqual([r.target for r in origin.requests], ["/%d" % n for n in range(20)])
        self.assertEqual(len(origin.connections), 1)
        lines = self.egret.log_lines(20, source=client.local)
        self.assertEqual([line["path"] for line in lines], ["/%d" % n for n in range(20)])
        self.assertEqual([line.get("upstream_reused", False) for line in lines], [False] + [True] * 19)

    def test_bodies_pass_unchanged_in_either_framing(self):
        self.start()
        origin = self.origin()
        data = os.urandom(300000)
        client = self.client()
        head = "POST %s HTTP/1.1\r\nHost: origin.test:%d\r\n" % (self.url(origin), origin.port)
        self.assert_ok(client.ask(head.encode() + b"Content-Length: %d\r\n\r\n" % len(data) + data))
        chunks = b"".join(b"%x\r\n%s\r\n" % (len(data[at:at + 7000]), data[at:at + 7000])
                          for at in range(0, len(data), 7000))
        self.assert_ok(client.ask(head.encode() + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"))
        self.assertEqual([r.body == data for r in origin.wait_requests(2)], [True, True])
        self.assertEqual(origin.requests[0].header("content-length"), str(len(data)))
        self.assertEqual(origin.requests[1].header("transfer-encoding"), "chunked")

    def test_responses_pass_in_every_framing(self):
        self.start()
        data = os.urandom(200000)
        chunked = b"".join(b"%x\r\n%s\r\n" % (len(data[at:at + 999]), data[at:at + 999])
                           for at in range(0, len(data), 999))
        for name, script in {
            "length": reply(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(data) + data),
            "chunked": reply(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked + b"0\r\n\r\n"),
            "close": reply_and_close(b"HTTP/1.1 200 OK\r\n\r\n" + data),
            "1.0": reply_and_close(b"HTTP/1.0 200 OK\r\n\r\n" + data),
        }.items():
            for version in ("HTTP/1.1", "HTTP/1.0"):
                with self.subTest(origin=name, client=version):
                    response = self.client().get(self.url(self.origin(script)), version=version)
                    self.assertEqual((response.status, hashlib.sha256(response.body).digest()),
                                     (200, hashlib.sha256(data).digest()), response)
                    if version == "HTTP/1.0":
                        self.assertIsNone(response.header("transfer-encoding"))

    def test_a_head_has_no_body_and_the_connection_goes_on(self):
        self.start()
        origin = self.origin(reply(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", OK))
        client = self.client()
        response = client.ask(b"HEAD %s HTTP/1.1\r\nHost: origin.test:%d\r\n\r\n"
                              % (self.url(origin).encode(), origin.port))
        self.assertEqual(response.header("content-length"), "1000")
        self.assert_ok(client.get(self.url(origin)))
        self.assertEqual(len(origin.connections), 1)

    def test_repeated_fields_keep_their_order_and_their_bytes(self):
        self.start()
        origin = self.origin(reply(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2; Path=/\r\n"
                                   b"X-Latin: caf\xe9\r\nContent-Length: 2\r\n\r\nok"))
        response = self.client().get(self.url(origin), "X-List: one", "x-list: two, three", "Accept: */*")
        self.assert_ok(response)
        self.assertEqual(response.all("set-cookie"), ["a=1", "b=2; Path=/"])
        self.assertEqual(response.header("x-latin"), "caf\xe9")
        self.assertEqual(origin.requests[0].all("x-list"), ["one", "two, three"])

    def test_interim_responses_go_out_before_the_final_one(self):
        self.start()
        origin = self.origin(reply(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n" + OK))
        response = self.client().get(self.url(origin))
        self.assert_ok(response)
        self.assertEqual([(i.status, i.header("link")) for i in response.interim],
                         [(103, "</a.css>; rel=preload")])
        old = self.client().get(self.url(origin), version="HTTP/1.0")
        self.assert_ok(old)
        self.assertEqual(old.interim, [])

    def test_a_response_streams_while_the_origin_still_sends(self):
        self.start()

        def two_parts(connection):
            connection.read_request()
            connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
            connection.reader.until(b"never")  # holds the response open until the client is gone
        origin = self.origin(two_parts)
        client = self.client()
        client.send(b"GET %s HTTP/1.1\r\nHost: origin.test:%d\r\n\r\n" % (self.url(origin).encode(), origin.port))
        self.assertIn(b"first", client.reader.until(b"first"))
        client.reset()
        self.assertIsNotNone(origin.wait_ended())

    def test_upgrade_of_a_websocket_kind_becomes_a_tunnel(self):
        self.start()

        def switch(connection):
            request = connection.read_request()
            self.assertEqual(request.header("upgrade"), "websocket")
            self.assertIn("upgrade", request.header("connection").lower())
            connection.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                            b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\nhi")
            while connection.reader.more():
                connection.send(connection.reader.rest().upper())
        origin = self.origin(switch)
        client = self.client()
        response = client.get(self.url(origin), "Connection: Upgrade", "Upgrade: websocket",
                              "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
        self.assertEqual((response.status, response.header("upgrade")), (101, "websocket"), response)
        self.assertEqual(client.reader.exactly(2), b"hi")
        client.send(b"\x00binary\xff")
        self.assertEqual(client.reader.exactly(8), b"\x00BINARY\xff")
        client.close()
        self.egret.one_line(source=client.local, status=101, carries="websocket")

    def test_a_destination_that_refuses_or_says_nothing_is_a_502(self):
        self.start()
        gone = self.origin()
        gone_port = gone.port
        gone.close()
        client = self.client()
        self.assert_refused(client, client.get("http://origin.test:%d/" % gone_port), "connection_refused")
        mute = self.origin(lambda connection: connection.read_request())
        client = self.client()
        self.assert_refused(client, client.get(self.url(mute)), "upstream_closed")

    def test_a_denied_request_names_the_rule_its_message_and_the_request(self):
        self.start(deny(message="Ask #sec-egress for denied.test."), allow())
        origin = self.origin()
        client = self.client()
        response = client.get(self.url(origin, name="denied.test"))
        line = self.assert_refused(client, response, "policy_denied", rule="closed", path="/")
        self.assertIn("Ask #sec-egress for denied.test.", response.text())
        self.assertIn(line["request_id"], response.text())
        self.assertEqual((line["decision"], line["stage"], line["policy"]), ("deny", "target", "web"))
        self.assertEqual(origin.connections, [])
        self.assert_ok(client.get(self.url(origin, "/next")))  # a refusal keeps the connection

    def test_an_allowed_request_logs_the_rule_and_where_it_went(self):
        self.start()
        origin = self.origin()
        client = self.client()
        self.assert_ok(client.get(self.url(origin, "/x?secret=1"), "User-Agent: probe/1"))
        line = self.egret.one_line(source=client.local)
        self.assertEqual({k: line.get(k) for k in ("kind", "listener", "method", "target", "path", "protocol", "status",
                                                   "decision", "policy", "rule", "upstream", "user_agent")},
                         {"kind": "request", "listener": "egress", "method": "GET",
                          "target": "origin.test:%d" % origin.port, "path": "/x", "protocol": "HTTP/1.1", "status": 200,
                          "decision": "allow", "policy": "web", "rule": "local",
                          "upstream": "127.0.0.1:%d" % origin.port, "user_agent": "probe/1"})
        self.assertTrue(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$", line["time"]), line)

    def test_requests_that_are_not_for_a_proxy_are_refused(self):
        self.start()
        for request, detail in {
            b"GET / HTTP/1.1\r\nHost: origin.test\r\n\r\n": "http1.not_a_proxy_request",
            b"OPTIONS * HTTP/1.1\r\nHost: origin.test\r\n\r\n": "http1.not_a_proxy_request",
            b"GET ftp://origin.test/ HTTP/1.1\r\nHost: origin.test\r\n\r\n": "http1.unsupported_scheme",
            b"GET https://origin.test/ HTTP/1.1\r\nHost: origin.test\r\n\r\n": "https_in_clear",
        }.items():
            with self.subTest(request):
                client = self.client()
                self.assert_refused(client, client.ask(request), detail)
