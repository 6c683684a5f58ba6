"""PROXY headers before a proxy's connections, by curl and by hand."""
import socket
import struct
import subprocess
import time

from harness import ProxyCase, allow, proxy_config
from waiting import until

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def version2(source, destination, command=0x21, more=b""):
    """`source`, `destination`: (address, port)."""
    family = socket.AF_INET6 if ":" in source[0] else socket.AF_INET
    block = (socket.inet_pton(family, source[0]) + socket.inet_pton(family, destination[0])
             + struct.pack("!HH", source[1], destination[1]) + more)
    kind = 0x21 if family == socket.AF_INET6 else 0x11
    return SIGNATURE + struct.pack("!BBH", command, kind, len(block)) + block


class ProxyProtocol(ProxyCase):
    def start_behind(self, trusted, *rules, **top):
        config = proxy_config(list(rules) or [allow()], **top)
        config["listeners"][0]["listener_filters"] = [{"proxy_protocol": {"trusted_cidrs": trusted}}]
        self.start_config(config, {"origin.test": ["127.0.0.1"]})
        return self.origin()

    def get_after(self, header, origin):
        client = self.client()
        client.send(header)
        return client, client.get(self.url(origin))

    def refused(self):
        return self.egret.metric("egret_failures_total", detail="proxy_protocol")

    def test_curl_says_who_it_is(self):
        origin = self.start_behind(["127.0.0.0/8"])
        run = subprocess.run(["curl", "-sS", "--max-time", "20", "--haproxy-protocol", "-x", self.egret.url,
                              "--interface", "127.0.0.7", self.url(origin)], stdout=subprocess.PIPE, text=True)
        self.assertEqual((run.returncode, run.stdout), (0, "ok"))
        self.assertTrue(self.egret.one_line(target="origin.test:%d" % origin.port)["source"].startswith("127.0.0.7:"))

    def test_what_it_tells_is_logged_and_judged(self):
        rule = allow(**{"from": {"cidrs": ["192.0.2.0/24", "2001:db8::/32"]}})
        origin = self.start_behind(["127.0.0.1"], rule)
        for header, source in (
                (b"PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n", "192.0.2.1:56324"),
                (version2(("192.0.2.9", 1000), ("198.51.100.2", 443), more=b"\x04\0\3abc"), "192.0.2.9:1000"),
                (version2(("2001:db8::7", 2000), ("2001:db8::1", 443)), "[2001:db8::7]:2000")):
            with self.subTest(source):
                _, response = self.get_after(header, origin)
                self.assert_ok(response)
                self.egret.one_line(source=source)
        _, response = self.get_after(b"PROXY TCP4 203.0.113.1 198.51.100.2 1 443\r\n", origin)
        self.assertEqual(response.status, 403)
        self.assertEqual(self.egret.one_line(source="203.0.113.1:1")["detail"], "policy_denied")

    def test_a_load_balancer_that_speaks_for_itself_keeps_its_address(self):
        origin = self.start_behind(["127.0.0.1"])
        for header in (b"PROXY UNKNOWN\r\n", version2(("192.0.2.1", 1), ("192.0.2.2", 2), command=0x20)):
            client, response = self.get_after(header, origin)
            self.assert_ok(response)
            self.egret.one_line(source=client.local)

    def test_the_client_is_counted_and_not_its_load_balancer(self):
        origin = self.start_behind(["127.0.0.1"], limits={"connections_per_source": 2})
        held = []
        for n in range(6):  # three clients, two connections each, all from one balancer
            client, response = self.get_after(b"PROXY TCP4 192.0.2.%d 198.51.100.2 1 443\r\n" % (n // 2), origin)
            self.assert_ok(response)
            held.append(client)
        client = self.client()
        client.send_what_goes(b"PROXY TCP4 192.0.2.1 198.51.100.2 9 443\r\nGET / HTTP/1.1\r\n\r\n")
        self.assertIsNone(client.read_response())
        self.assertEqual(self.egret.metric("egret_limit_hits_total", limit="connections_per_source"), 1)
        held[2].close()
        until(lambda: self.egret.metric("egret_client_connections_active") == 5, "one to be gone")
        _, response = self.get_after(b"PROXY TCP4 192.0.2.1 198.51.100.2 9 443\r\n", origin)
        self.assert_ok(response)

    def test_a_trusted_connection_without_a_sound_header_is_closed(self):
        origin = self.start_behind(["127.0.0.1"])
        client = self.client()
        client.send_what_goes(b"GET %s HTTP/1.1\r\nHost: origin.test\r\n\r\n" % self.url(origin).encode())
        self.assertIsNone(client.read_response())
        client = self.client()
        client.send_what_goes(SIGNATURE + b"\x21\x11\xff\xff")
        self.assertIsNone(client.read_response())
        self.assertEqual(self.refused(), 2)
        client = self.client()
        began = time.monotonic()
        client.send(b"PROXY TCP4 ")
        client.end()
        self.assertTrue(4 < time.monotonic() - began < 10)
        self.assertEqual((self.refused(), origin.connections), (3, []))

    def test_who_is_not_trusted_cannot_claim_an_address(self):
        rule = allow(**{"from": {"cidrs": ["192.0.2.0/24"]}})
        origin = self.start_behind(["10.0.0.0/8"], rule)
        client = self.client()
        self.assertEqual(client.get(self.url(origin)).status, 403)
        client.close()
        self.egret.one_line(source=client.local, detail="policy_denied")
        client, response = self.get_after(b"PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n", origin)
        self.assertEqual(response.status, 400)
        self.egret.one_line(source=client.local, status=400)
        self.assertEqual(origin.connections, [])
