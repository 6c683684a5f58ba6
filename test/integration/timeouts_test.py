"""Every wait has an end: rows T13 and T14 of the catalogue, and the timeouts of requests. Each limit is set to its
least; what is asserted is that it is kept, and that what ends for another reason does not name it."""
import threading
import time

from harness import HOSTS, ProxyCase, allow, deny, proxy_config
from origins import echo, swallow
from waiting import SECONDS


class Timeouts(ProxyCase):
    def start_with(self, timeouts=None, tunnel=None, router=None):
        filters = [{"egress_policy": {"policy": "web"}}, {"connect_tunnel": tunnel or {}},
                   {"forward_router": router or {}}]
        config = proxy_config([deny(), allow()], filters)
        if timeouts:
            config["listeners"][0]["filters"][0]["http_connection"]["timeouts"] = timeouts
        self.start_config(config, HOSTS)

    def head(self, origin, *lines, method="GET"):
        return "\r\n".join(["%s %s HTTP/1.1" % (method, self.url(origin)), "Host: origin.test:%d" % origin.port,
                            *lines, "", ""]).encode()

    def assert_waited(self, began, seconds):
        waited = time.monotonic() - began
        print("a limit of %g s took %.3f s" % (seconds, waited))
        self.assertGreater(waited, seconds * 0.9)
        self.assertLess(waited, seconds + 5)

    def test_a_head_that_does_not_end_is_a_408(self):
        self.start_with(timeouts={"header": "1s"})
        client, began = self.client(), time.monotonic()
        client.send(b"GET http://origin.test/ HTTP/1.1\r\nHost: ori")
        response = client.read_response()
        self.assert_waited(began, 1)
        self.assert_refused(client, response, "client_header_timeout", closes=True)

    def test_a_client_that_never_speaks_is_closed_without_a_word(self):
        self.start_with(timeouts={"idle": "1s", "header": "1s"})
        client, began = self.client(), time.monotonic()
        self.assertEqual(client.reader.to_end(), b"")
        self.assert_waited(began, 1)
        self.assertEqual(self.egret.all_log_lines(), [])

    def test_a_kept_connection_is_closed_after_its_idle_time(self):
        self.start_with(timeouts={"idle": "1s"})
        client = self.client()
        self.assert_ok(client.get(self.url(self.origin())))
        began = time.monotonic()
        self.assertEqual(client.reader.to_end(), b"")
        self.assert_waited(began, 1)
        self.egret.one_line(source=client.local)

    def test_a_body_that_stops_is_a_408_and_is_never_completed(self):
        self.start_with(timeouts={"body": "1s"})
        origin = self.origin(lambda connection: connection.read_request())
        client, began = self.client(), time.monotonic()
        client.send(self.head(origin, "Content-Length: 10", method="POST") + b"hello")
        response = client.read_response()
        self.assert_waited(began, 1)
        self.assert_refused(client, response, "client_body_timeout", closes=True)
        self.assertIsNotNone(origin.wait_ended())
        self.assertTrue(origin.received.endswith(b"hello"))

    def test_an_origin_that_does_not_answer_is_a_504(self):
        self.start_with(router={"response_header_timeout": "1s"})
        origin = self.origin(swallow)
        client, began = self.client(), time.monotonic()
        response = client.get(self.url(origin))
        self.assert_waited(began, 1)
        self.assert_refused(client, response, "upstream_header_timeout")
        self.assertIsNotNone(origin.wait_ended())

    def test_a_whole_request_may_be_limited(self):
        self.start_with(timeouts={"request": "1s"})
        origin = self.origin(swallow)
        client, began = self.client(), time.monotonic()
        response = client.get(self.url(origin))
        self.assert_waited(began, 1)
        self.assert_refused(client, response, "request_timeout")

    def test_T14_an_idle_tunnel_is_closed(self):
        self.start_with(tunnel={"idle_timeout": "1s"})
        client = self.tunnel(self.origin(echo))
        client.send(b"\0x")
        client.reader.exactly(2)
        began = time.monotonic()
        client.end()
        self.assert_waited(began, 1)
        self.assertEqual(self.egret.one_line(source=client.local)["close_reason"], "idle_timeout")

    def test_T14_a_tunnel_in_use_is_not_idle_and_still_has_an_age(self):
        self.start_with(tunnel={"idle_timeout": "1s", "max_lifetime": "2s"})
        client = self.tunnel(self.origin(echo))
        began, got = time.monotonic(), b"\0"
        client.sock.settimeout(0.3)
        while got:
            client.send_what_goes(b"\0")
            got = client.reader.exactly(1)
        self.assert_waited(began, 2)
        self.assertEqual(self.egret.one_line(source=client.local)["close_reason"], "max_lifetime")

    def test_a_half_closed_tunnel_does_not_stay_for_ever(self):
        self.start_with(tunnel={"half_closed_timeout": "1s"})
        release = threading.Event()
        self.addCleanup(release.set)
        origin = self.origin(lambda connection: (connection.wait_end(), release.wait(SECONDS)))
        client = self.tunnel(origin)
        client.send(b"\0x")
        began = time.monotonic()
        client.fin()
        client.end()
        self.assert_waited(began, 1)
        self.assertEqual(self.egret.one_line(source=client.local)["close_reason"], "half_closed_timeout")

    def test_T13_a_client_hello_that_does_not_end_is_closed(self):
        self.start_with()
        origin = self.origin(swallow)
        client = self.tunnel(origin)
        began = time.monotonic()
        client.send(b"\x16\x03\x01\x02\x00\x01\x00")
        client.end()
        self.assert_waited(began, 5)  # of the built-in tunnel
        client.close()
        line = self.egret.one_line(source=client.local)
        self.assertEqual((line["kind"], line["detail"], line["side"]), ("tunnel", "tls_hello", "client"), line)
        self.assertEqual(origin.received, b"")
