"""Rows of HTTP/1 again over HTTP/2: targets (H09), heads (H18), methods and fields (H25, H26, H27), timeouts, limits.

Each concerns one stream, and the connection serves on."""
import time

from h2_case import H2Case
from h2_frames import block, data, headers, headers_of, literal, open_headers
from origins import echo, reply, swallow
from waiting import SECONDS, until


class Twins(H2Case):
    def fields_of(self, method="GET", scheme="http", authority=None, path="/"):
        pairs = [(":method", method), (":scheme", scheme), (":path", path), (":authority", authority)]
        return [(name, value) for name, value in pairs if value is not None]

    def assert_refused_with(self, client, stream, status, error, detail):
        """A response that says why, one log line that says the same, and a connection that serves on."""
        self.assertEqual((stream.status, stream.ended), (status, True), "%r, %r" % (stream, client.goaways))
        self.assertIn("error=" + error, stream.header("proxy-status").replace('"', ""))
        line = self.egret.log_lines(1, source=client.local, detail=detail)[0]
        self.assertEqual((line["status"], line["protocol"]), (status, "HTTP/2"))
        self.assertIn(line["request_id"], stream.header("proxy-status"))
        self.assert_serves_on(client)
        return line

    def assert_waited(self, began, seconds):
        waited = time.monotonic() - began
        self.assertGreater(waited, seconds * 0.9)
        self.assertLess(waited, seconds + SECONDS / 2)


class Targets(Twins):
    http = {"via": "edge"}

    def test_H09_authorities_that_readers_may_take_differently_are_refused(self):
        port, client = self.origin.port, self.client()
        name = "origin.test:%d" % port
        refused = [
            "user@" + name, "user:secret@" + name, "denied.test@" + name, name + "@denied.test", name + "#fragment",
            name + "\\@denied.test", name + "/path", name + "?query", ":%d" % port, "origin.test:",
            "origin.test:%dx" % port, "origin.test:+%d" % port, "origin.test:0", "origin.test:65536",
            "origin.test:0x50", "origin.test:80:80", "origin..test:%d" % port, ".origin.test:%d" % port,
            "origin.test..:%d" % port, "ori%%67in.test:%d" % port, "orig*n.test:%d" % port,
            "origin.test,second.test:%d" % port, "%s.test:%d" % ("a" * 64, port), "[::1", "::1", "[fe80::1%lo]",
            "[::g]", "[127.0.0.1]:%d" % port, "127.1:%d" % port, "2130706433:%d" % port, "0x7f.0.0.1:%d" % port,
            "0177.0.0.1:%d" % port, "127.0.0.01:%d" % port, "127.0.0.256:%d" % port, "1.2.3.4.5:%d" % port,
            "ori\xef\xbd\x87in.test:%d" % port, "b\xc3\xbccher.test:%d" % port,
        ]
        before = len(self.origin.connections)
        for number, authority in zip(range(1, 1000, 4), refused):
            with self.subTest(authority):
                client.send(headers(number, block(self.fields_of(authority=authority))))
                client.send(open_headers(number + 2, block([(":method", "CONNECT"), (":authority", authority)])))
                for stream in (client.finish(number), client.finish(number + 2)):
                    self.assertTrue(stream.reset == 1 or (stream.status == 400 and stream.ended),
                                    "%r, %r" % (stream, client.goaways))
        self.assertEqual(len(self.origin.connections), before)
        self.assert_serves_on(client)

    def test_H09_spellings_of_one_name_are_forwarded_and_logged_in_one_form(self):
        client, name = self.client(), "origin.test:%d" % self.origin.port
        for number, authority in zip(range(1, 100, 2), (name, name.upper(), name.replace("test:", "test.:"))):
            with self.subTest(authority):
                client.send(headers(number, block(self.fields_of(authority=authority, path=client.path))))
                self.assert_served(client, client.finish(number))
                self.assertEqual(self.requests_of(client)[-1].all("host"), [name])
        lines = self.egret.log_lines(3, source=client.local)
        self.assertEqual({line["target"] for line in lines}, {name})

    def test_H18_limits_of_a_head(self):
        client = self.client()
        client.send(headers(1, client.get() + literal("x", "y") * 101))
        self.assert_refused_with(client, client.finish(1), 431, "http_request_error", "http1.too_many_fields")

    def test_H18_a_target_that_is_too_long(self):
        client = self.client()
        client.send(headers_of(1, block(self.fields_of(authority=client.authority, path="/" + "a" * 16384))))
        self.assert_refused_with(client, client.finish(1), 414, "http_request_error", "http1.uri_too_long")

    def test_H25_TRACE_is_refused(self):
        client = self.client()
        client.send(headers(1, block(self.fields_of("TRACE", authority=client.authority) + [("cookie", "secret=1")])))
        stream = client.finish(1)
        self.assertNotIn("secret", stream.text())
        self.assert_refused_with(client, stream, 405, "http_request_error", "http1.trace_denied")

    def test_H25_Max_Forwards_is_honoured(self):
        client = self.client()
        client.send(headers(1, block(client.fields("OPTIONS", None, ("max-forwards", "0")))))
        self.assertEqual((client.finish(1).status, self.requests_of(client)), (200, []))
        client.send(headers(3, block(client.fields("OPTIONS", None, ("max-forwards", "5")))))
        self.assert_served(client, client.finish(3))
        self.assertEqual(self.requests_of(client)[0].header("max-forwards"), "4")

    def test_H25_a_Via_of_our_own_is_a_loop(self):
        client = self.client()
        client.send(headers(1, client.get(("via", "1.1 other, 2 edge"))))
        self.assert_refused_with(client, client.finish(1), 502, "proxy_loop_detected", "proxy_loop")

    def test_H26_what_is_between_client_and_proxy_stays_there(self):
        client = self.client()
        client.send(headers(1, client.get(("proxy-authorization", "Basic c2VjcmV0"), ("x-forwarded-for", "10.0.0.1"),
                                          ("forwarded", "for=10.0.0.1"), ("proxy-authenticate", "x"))))
        self.assert_served(client, client.finish(1))
        names = {name for name, _ in self.requests_of(client)[0].fields}
        self.assertFalse(names & {"proxy-authorization", "x-forwarded-for", "forwarded", "proxy-authenticate"}, names)
        self.assertNotIn("c2VjcmV0", self.egret.log_text())

    def test_H26_a_407_of_the_origin_is_a_502(self):
        origin = self.scripted(reply(b"HTTP/1.1 407 Proxy Authentication Required\r\n"
                                     b"Proxy-Authenticate: Basic realm=\"give me\"\r\nContent-Length: 0\r\n\r\n"))
        client = self.client_of(origin)
        client.send(headers(1, client.get()))
        stream = client.finish(1)
        client.authority = "origin.test:%d" % self.origin.port
        self.assert_refused_with(client, stream, 502, "http_protocol_error", "upstream_unasked_407")
        self.assertIsNone(stream.header("proxy-authenticate"))

    def test_H27_a_denial_names_the_rule_and_nothing_of_the_client(self):
        client = self.client()
        client.send(headers(1, block(self.fields_of(authority="denied.test", path="/?token=s3cr3t"))))
        stream = client.finish(1)
        self.assertNotIn("s3cr3t", stream.text())
        line = self.assert_refused_with(client, stream, 403, "http_request_denied", "policy_denied")
        self.assertEqual(line["rule"], "closed")
        self.assertIn("closed", stream.text())
        self.assertNotIn("s3cr3t", self.egret.log_text())

    def test_H14_odd_expectations(self):
        client = self.client()
        client.send(headers(1, client.get(("expect", "200-maybe"))))
        self.assert_refused_with(client, client.finish(1), 417, "http_request_error", "http1.unknown_expectation")

    def test_https_in_clear_is_not_forwarded(self):
        client = self.client()
        client.send(headers(1, block(self.fields_of(scheme="https", authority=client.authority))))
        self.assert_refused_with(client, client.finish(1), 403, "http_request_denied", "https_in_clear")


class Timeouts(Twins):
    http = {"timeouts": {"body": "1s", "request": "4s"}}
    filters = [{"egress_policy": {"policy": "web"}},
               {"connect_tunnel": {"idle_timeout": "1s", "half_closed_timeout": "1s"}},
               {"forward_router": {"response_header_timeout": "2s"}}]

    def test_a_body_that_stops_is_a_408_and_is_never_completed(self):
        origin = self.scripted(lambda connection: connection.read_request())
        client, began = self.client_of(origin), time.monotonic()
        client.send(open_headers(1, client.post(("content-length", "10"))), data(1, b"hello", False))
        stream = client.finish(1)
        self.assert_waited(began, 1)
        self.assertIsNotNone(origin.wait_ended())
        self.assertTrue(origin.received.endswith(b"hello"))
        client.authority = "origin.test:%d" % self.origin.port
        self.assert_refused_with(client, stream, 408, "http_request_error", "client_body_timeout")

    def test_an_origin_that_does_not_answer_is_a_504(self):
        origin = self.scripted(swallow)
        client, began = self.client_of(origin), time.monotonic()
        client.send(headers(1, client.get()))
        stream = client.finish(1)
        self.assert_waited(began, 2)
        self.assertIsNotNone(origin.wait_ended())
        client.authority = "origin.test:%d" % self.origin.port
        self.assert_refused_with(client, stream, 504, "http_response_timeout", "upstream_header_timeout")

    def test_a_whole_request_may_be_limited(self):
        def slow(connection):
            connection.read_head()
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
            connection.wait_end()
        client, began = self.client_of(self.scripted(slow)), time.monotonic()
        client.send(headers(1, client.get()))
        stream = client.finish(1)
        self.assert_waited(began, 4)
        self.assertEqual((stream.status, stream.ended), (200, False), stream)
        self.assertIsNotNone(stream.reset)
        self.egret.log_lines(1, source=client.local, detail="request_timeout")

    def test_T14_an_idle_tunnel_ends_and_its_siblings_live(self):
        origin, client = self.scripted(echo), self.client()
        authority = "origin.test:%d" % origin.port
        client.send(open_headers(1, client.connect(authority)), open_headers(3, client.connect(authority)))
        busy = client.stream(3)
        client.until(lambda: client.stream(1).fields and busy.fields)
        client.send(data(1, b"\0x", False))
        began = time.monotonic()
        while not client.stream(1).done:  # the other one is never idle for so long
            wanted = len(busy.body) + 1
            client.send(data(3, b"\0", False))
            client.until(lambda: len(busy.body) >= wanted)
            if not client.silent(0.2):
                client.next()
        self.assert_waited(began, 1)
        self.assertFalse(busy.done)
        self.assertEqual(self.egret.log_lines(1, source=client.local, kind="tunnel")[0]["close_reason"], "idle_timeout")


class Limits(Twins):
    filters = [{"rate_limit": {"per": "SOURCE_ADDRESS", "requests": {"rate": 1, "burst": 5}}},
               {"egress_policy": {"policy": "web"}}, {"connect_tunnel": {}}, {"forward_router": {}}]

    def test_R08_a_greedy_connection_is_told_to_wait(self):
        client = self.client()
        client.send(*[headers(n, client.get()) for n in range(1, 41, 2)])
        statuses = [client.finish(n).status for n in range(1, 41, 2)]
        self.assertEqual(sorted(set(statuses)), [200, 429])
        self.assertGreater(statuses.count(429), 10)
        limited = next(s for s in client.streams.values() if s.status == 429)
        self.assertGreaterEqual(int(limited.header("retry-after")), 1)
        self.assertIn("rate_limited", limited.header("proxy-status"))
        self.assertEqual(client.goaways, [])


class Scarce(Twins):
    top = {"limits": {"memory": {"hard": {"bytes": 1 << 20}}}}

    def test_R05_where_memory_is_very_scarce_requests_are_refused(self):
        until(lambda: self.egret.metric("egret_overload_state") == 2, "memory to count as very scarce")
        client = self.client()
        client.send(headers(1, client.get()), open_headers(3, client.connect()))
        for stream in (client.finish(1), client.finish(3)):
            self.assertEqual(stream.status, 503, stream)
            self.assertIn("overload", stream.header("proxy-status"))
        self.assertEqual(self.requests_of(client), [])
