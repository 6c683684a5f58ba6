"""HTTP/2 clients at the proxy, in clear by prior knowledge: requests, tunnels, limits, ends."""
import subprocess
import threading

from client_case import Clients, need
from h2_client import H2Client
from harness import HOSTS, ProxyCase, allow, deny, proxy_config
from origins import OK, echo, reply, swallow
from waiting import until

NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, REFUSED_STREAM, CANCEL, CONNECT_ERROR, CALM = 0, 1, 2, 7, 8, 10, 11


class Http2Case(ProxyCase):
    def h2(self, **how):
        client = H2Client(self.egret.address, **how)
        self.addCleanup(client.close)
        return client

    def start_http2(self, **http2):
        config = proxy_config([deny(), allow()])
        config["listeners"][0]["filters"][0]["http_connection"]["http2"] = http2
        return self.start_config(config, HOSTS)

    def authority(self, origin, name="origin.test"):
        return "%s:%d" % (name, origin.port)


class Requests(Http2Case):
    def test_requests_side_by_side_are_decided_and_logged_each(self):
        self.start()
        origin = self.origin(reply(OK))
        client = self.h2()
        served = [client.get(self.authority(origin), "/%d" % i) for i in range(20)]
        denied = client.get("denied.test:80", "/secret")
        for stream in served:
            answer = client.response(stream)
            self.assertEqual((answer.status, answer.body, answer.ended), (200, b"ok", True), answer)
        self.assertEqual(client.response(denied).status, 403)
        self.assertIn("http_request_denied", client.streams[denied].headers["proxy-status"])
        self.assertEqual(client.streams[served[0]].headers.get("via"), "1.1 " + origin.requests[0].header("via")[2:])
        lines = self.egret.log_lines(21, source=client.local, protocol="HTTP/2")
        self.assertEqual(sorted(line["status"] for line in lines), [200] * 20 + [403])
        self.assertEqual(len({line["request_id"] for line in lines}), 21)
        self.assertEqual(origin.requests[0].header("host"), self.authority(origin))

    def test_cookies_content_and_trailers_become_http1_and_back(self):
        self.start()
        answer = (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n"
                  b"Connection: x-hop\r\nX-Hop: 1\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 7\r\n\r\n")
        origin = self.origin(reply(answer))
        client = self.h2()
        stream = client.get(self.authority(origin), "/", ("cookie", "x=1"), ("cookie", "y=2"), ("te", "trailers"),
                            method="POST", end=False)
        client.send(stream, b"hello ")
        client.send(stream, b"world")
        client.trailers(stream, [("x-check", "9")])
        heard = client.response(stream)
        self.assertEqual((heard.status, heard.body, heard.trailers), (200, b"abc", {"x-sum": "7"}), heard)
        self.assertNotIn("x-hop", heard.headers)
        request = origin.wait_requests(1)[0]
        self.assertEqual((request.header("cookie"), request.body), ("x=1; y=2", b"hello world"))
        self.assertEqual(request.header("transfer-encoding"), "chunked")
        self.assertIn(b"x-check: 9", origin.received)

    def test_H24_what_would_be_two_requests_to_an_origin_reaches_none(self):
        self.start()
        origin = self.origin(reply(OK))
        client = self.h2()
        bad = [("x", "a\r\nHost: evil"), ("x\r\ny", "z"), ("x:y", "z"), ("connection", "x"), ("host", "other.test"),
               ("transfer-encoding", "chunked"), ("te", "gzip"), ("X-Upper", "y"), ("content-length", "5")]
        streams = [client.get(self.authority(origin), "/", field) for field in bad]
        streams.append(client.get(self.authority(origin), "/ HTTP/1.1\r\nX: y"))
        streams.append(client.get(self.authority(origin), "/", method="GET / HTTP/1.1\r\n"))
        for stream in streams:
            self.assertEqual(client.response(stream).reset, PROTOCOL_ERROR, stream)
        last = client.response(client.get(self.authority(origin)))
        self.assertEqual(last.status, 200)
        self.assertEqual(len(origin.requests), 1)
        self.egret.log_lines(len(bad) + 2, source=client.local, detail="http2.malformed")

    def test_an_answer_before_the_requests_end_is_whole_and_the_connection_stays(self):
        self.start()
        client = self.h2()
        stream = client.get("denied.test:80", "/", method="POST", end=False)
        client.send(stream, b"x" * 1000)
        heard = client.response(stream)
        self.assertEqual((heard.status, heard.ended), (403, True))
        client.until(lambda: heard.reset is not None)
        self.assertEqual(heard.reset, NO_ERROR)
        self.assertEqual(client.response(client.get("denied.test:80")).status, 403)

    def test_http2_may_be_turned_off(self):
        self.start_http2(disabled=True)
        client = self.client()
        response = client.ask(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        self.assert_refused(client, response, "http2.not_served")

    def test_F16_a_client_that_dies_cancels_all_it_asked_for(self):
        self.start()
        origin = self.origin(swallow)
        client = self.h2()
        for _ in range(50):
            client.get(self.authority(origin))
        until(lambda: len(origin.connections) == 50, "50 requests at the origin")
        client.kill()
        until(lambda: all(c.ended for c in origin.connections), "the end of all of them")
        until(lambda: self.egret.metric("egret_requests_active") == 0, "no exchange")


class Tunnels(Http2Case):
    def test_tunnels_share_a_connection_and_nothing_else(self):
        self.start()
        origin = self.origin(echo)
        client = self.h2()
        streams = [client.connect(self.authority(origin)) for _ in range(5)]
        for stream in streams:
            self.assertEqual(client.head(stream).status, 200)
        for i, stream in enumerate(streams):
            client.send(stream, b"\x01\x02 not http %d" % i)
        for i, stream in enumerate(streams):
            self.assertEqual(client.body(stream, 13), b"\x01\x02 not http %d" % i)
        client.reset(streams[0])
        client.send(streams[1], b"", end=True)  # FIN, given back as FIN
        self.assertTrue(client.response(streams[1]).ended)
        self.egret.log_lines(1, kind="tunnel", close_reason="client_reset")
        for stream in streams[2:]:
            client.send(stream, b"more")
            self.assertEqual(client.body(stream, 17)[13:], b"more")
        self.assertIsNone(client.closed)

    def test_an_origins_reset_is_connect_error(self):
        self.start()

        def reset(connection):
            connection.reader.more()
            connection.reset()
        origin = self.origin(reset)
        client = self.h2()
        stream = client.connect(self.authority(origin))
        self.assertEqual(client.head(stream).status, 200)
        client.send(stream, b"\x01\x02 anything")
        self.assertEqual(client.response(stream).reset, CONNECT_ERROR)
        self.assertEqual(client.response(client.get("denied.test:80")).status, 403)

    def test_a_slow_tunnel_holds_no_other_up(self):
        self.start()
        origin = self.origin(echo)
        client = self.h2(acknowledge=False)
        slow, quick = client.connect(self.authority(origin)), client.connect(self.authority(origin))
        client.head(slow)
        client.head(quick)
        client.send(slow, b"\x01" * 60000)
        client.body(slow, 60000)  # its window is used up
        client.send(quick, b"\x02 hi")
        self.assertEqual(client.body(quick, 4), b"\x02 hi")

    def test_T12_prior_knowledge_inside_a_tunnel_is_policed_like_any_request(self):
        self.start()
        origin = self.origin(swallow)
        outer = self.client()
        self.assertEqual(outer.connect(self.authority(origin)).status, 200)
        client = H2Client(None, sock=outer.sock)
        self.assertEqual(client.response(client.get(self.authority(origin, "second.test"))).status, 421)
        self.assertEqual(client.response(client.get("denied.test:80")).status, 421)
        self.assertEqual(origin.received, b"")
        client.get(self.authority(origin))  # goes on as what it came as
        until(lambda: origin.received.startswith(b"PRI * HTTP/2.0"), "HTTP/2 at the origin")
        self.assertNotIn(b"denied", origin.received)

    def test_T12_an_origin_of_HTTP1_inside_a_tunnel_is_found_out(self):
        def refuse(connection):
            connection.reader.more()
            connection.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            connection.wait_end()
        self.start()
        origin = self.origin(refuse, reply(OK))
        tunnel = self.client()
        authority = "origin.test:%d" % origin.port
        self.assertEqual(tunnel.connect(authority).status, 200)
        client = H2Client(None, sock=tunnel.sock)
        for path in ("/a", "/b"):
            answer = client.response(client.get(authority, path))
            self.assertEqual((answer.status, answer.body), (200, b"ok"))
        post = client.get(authority, "/c", method="POST", end=False)
        client.send(post, b"content", end=True)
        self.assertEqual(client.response(post).status, 200)
        self.assertTrue(origin.connections[0].received.startswith(b"PRI * HTTP/2.0"))
        self.assertEqual([request.start_line for request in origin.requests if not request.start_line.startswith("PRI")],
                         ["GET /a HTTP/1.1", "GET /b HTTP/1.1", "POST /c HTTP/1.1"])
        self.assertEqual({line["upstream_protocol"] for line in self.egret.log_lines(3, kind="request")}, {"HTTP/1.1"})


class Limits(Http2Case):
    def limit(self, name):
        return self.egret.metric("egret_limit_hits_total", limit=name)

    def test_F09_one_stream_too_many_is_refused_and_no_other(self):
        self.start_http2(max_concurrent_streams=3)
        origin = self.origin(swallow, swallow, swallow, reply(OK))
        client = self.h2()
        live = [client.connect(self.authority(origin)) for _ in range(3)]
        for stream in live:
            self.assertEqual(client.head(stream).status, 200)
        client.h2.remote_settings.max_concurrent_streams = 1000  # the library would keep to the limit by itself
        client.h2.remote_settings.acknowledge()
        extra = client.get(self.authority(origin))
        self.assertEqual(client.response(extra).reset, REFUSED_STREAM)
        self.assertEqual(self.limit("http2_streams"), 1)
        client.reset(live[0])
        until(lambda: client.response(client.get(self.authority(origin))).status == 200, "room for one more")
        self.assertFalse(client.streams[live[1]].over)

    def test_F02_rapid_reset_ends_the_connection_and_reaches_nobody(self):
        self.start()
        origin = self.origin(reply(OK))
        client = self.h2()
        for _ in range(20):
            if client.closed or client.goaways:
                break
            for _ in range(50):
                stream = client.h2.get_next_available_stream_id()
                client.h2.send_headers(stream, [(":method", "GET"), (":scheme", "http"),
                                                (":authority", self.authority(origin)), (":path", "/")],
                                       end_stream=True)
                client.h2.reset_stream(stream, CANCEL)
            client.flush()
        self.assertEqual(client.goaway()[0], CALM)
        self.assertEqual(self.limit("http2_resets"), 1)
        self.egret.one_line(source=client.local, detail="http2.flood")
        self.assertLess(len(origin.connections), 100)

    def test_F06_pings_without_end(self):
        self.start_http2(control_frames={"burst": 50, "per_second": 1})
        client = self.h2()
        for _ in range(60):
            client.h2.ping(b"12345678")
        client.flush()
        self.assertEqual(client.goaway()[0], CALM)
        self.assertEqual(self.limit("http2_pings"), 1)

    def test_F18_requests_per_connection_end_it_in_order(self):
        config = proxy_config([deny(), allow()])
        config["listeners"][0]["filters"][0]["http_connection"]["limits"] = {"requests_per_connection": 3}
        self.start_config(config, HOSTS)
        client = self.h2()
        for _ in range(3):
            self.assertEqual(client.response(client.get("denied.test:80")).status, 403)
        self.assertEqual(client.goaway(), (NO_ERROR, 2 ** 31 - 1))
        self.assertEqual(client.goaway(2), (NO_ERROR, 5))
        self.assertEqual(client.end(), "fin")


class Ends(Http2Case):
    def test_F20_drain_is_told_in_two_steps_and_what_is_open_is_served(self):
        self.start()
        release = threading.Event()

        def late(connection):
            connection.read_request()
            release.wait(30)
            connection.send(OK)
        origin = self.origin(late)
        client = self.h2()
        stream = client.get(self.authority(origin))
        origin.wait_requests(1)
        self.egret.terminate()
        self.assertEqual(client.goaway(), (NO_ERROR, 2 ** 31 - 1))
        self.assertEqual(client.goaway(2), (NO_ERROR, stream))
        release.set()
        heard = client.response(stream)
        self.assertEqual((heard.status, heard.body), (200, b"ok"))
        self.assertEqual(client.end(), "fin")
        self.assertEqual(self.egret.wait(), 0)


class RealClients(Clients):
    def test_curl_by_prior_knowledge(self):
        curl = need("curl")
        where = ["--http2-prior-knowledge", "--connect-to", "origin.test:%d:%s:%d" % (self.nginx.port,
                                                                                     *self.egret.address)]
        text = subprocess.run([curl, "-sS", *where, "-w", "%{http_version}", self.http + "/hello.txt"],
                              capture_output=True, timeout=60, check=True).stdout
        self.assertEqual(text, b"hello from the origin\n2")
        big = subprocess.run([curl, "-sS", *where, self.http + "/big.bin"], capture_output=True, timeout=60,
                             check=True).stdout
        self.assertEqual(big, self.big)
        self.egret.log_lines(2, protocol="HTTP/2", status=200)
