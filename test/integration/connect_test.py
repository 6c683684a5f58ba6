"""Rows T02-T06, T08-T12 and T18 of the catalogue: CONNECT over HTTP/1 and what the tunnel carries.

The tunnel is the built-in one: TLS is relayed once its SNI agrees, HTTP in clear is judged request by request, anything
else needs a rule with protocols: [OTHER]."""
import os
import time

from harness import ProxyCase, allow, deny
from origins import OK, echo, reply, swallow
from tls_hello import client_hello, extension, grease_ech, records
from waiting import until


class Tunnels(ProxyCase):
    """Raw bytes through tunnels that a rule with OTHER allows."""

    def setUp(self):
        self.start()

    def end_of(self, client):
        return self.egret.one_line(source=client.local, kind="tunnel")

    def test_bytes_pass_both_ways_and_are_counted(self):
        origin = self.origin(echo)
        client = self.tunnel(origin)
        data = os.urandom(1 << 20)
        self.assertEqual(len(data), 1 << 20)
        got = b""
        for at in range(0, len(data), 1 << 16):
            client.send(b"\0" + data[at:at + (1 << 16)])
            got += client.reader.exactly((1 << 16) + 1)[1:]
        self.assertEqual(got, data)
        client.fin()
        self.assertEqual(client.end(), "fin")
        line = self.end_of(client)
        self.assertEqual((line["status"], line["rule"], line["carries"]), (200, "local", "other"))
        self.assertGreaterEqual(line["received_bytes"], len(data) + 16)
        self.assertGreaterEqual(line["sent_bytes"], len(data) + 16)
        self.assertLess(line["received_bytes"], len(data) + 1000)

    def test_a_tunnel_is_logged_when_it_opens_and_when_it_ends(self):
        origin = self.origin(echo)
        client = self.tunnel(origin)
        opened = self.egret.log_lines(source=client.local, event="open")[0]
        client.close()
        ended = self.end_of(client)
        self.assertEqual(opened["request_id"], ended["request_id"])

    def test_T02_a_half_close_of_the_client_reaches_the_origin_and_the_rest_comes_back(self):
        def late(connection):
            connection.wait_end()
            connection.send(b"after the end: %d" % len(connection.received))
        origin = self.origin(late)
        client = self.tunnel(origin)
        client.send(b"\0hello")
        client.fin()
        self.assertEqual(client.reader.to_end(), b"after the end: 6")
        self.assertEqual(client.reader.ended, "fin")

    def test_T02_a_half_close_of_the_origin_reaches_the_client_and_uploads_go_on(self):
        def early(connection):
            connection.send(b"bye")
            connection.fin()
            connection.wait_end()
        origin = self.origin(early)
        client = self.tunnel(origin)
        client.send(b"\0start")
        self.assertEqual(client.reader.to_end(), b"bye")
        client.send(b"still here")
        client.fin()
        origin.wait_ended()
        self.assertEqual(origin.received, b"\0startstill here")
        self.end_of(client)

    def test_T03_a_reset_of_the_origin_is_a_reset_for_the_client(self):
        def broken(connection):
            connection.reader.exactly(6)
            connection.send(b"part")
            connection.reader.exactly(3)
            connection.reset()
        origin = self.origin(broken)
        client = self.tunnel(origin)
        client.send(b"\0hello")
        self.assertEqual(client.reader.exactly(4), b"part")
        began = time.monotonic()
        client.send(b"bye")
        self.assertEqual(client.end(), "rst")
        print("the client was told after %.1f ms" % ((time.monotonic() - began) * 1000))
        line = self.end_of(client)
        self.assertEqual(line["close_reason"], "upstream_reset")

    def test_T03_a_reset_of_the_client_is_a_reset_for_the_origin(self):
        origin = self.origin(swallow)
        client = self.tunnel(origin)
        client.send(b"\0hello")
        connection = origin.wait_connection()
        until(lambda: connection.received == b"\0hello", "the bytes")
        client.reset()
        self.assertEqual(origin.wait_ended(), "rst")
        self.assertEqual(self.end_of(client)["close_reason"], "client_reset")

    def test_T04_bytes_behind_connect_are_the_tunnels(self):
        origin = self.origin(echo)
        client = self.client()
        authority = "origin.test:%d" % origin.port
        early = b"\0GET http://origin.test/ HTTP/1.1\r\n\r\n" + os.urandom(9000)
        response = client.ask(b"CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n" % (authority.encode(), authority.encode())
                              + early)
        self.assertEqual(response.status, 200)
        self.assertEqual(client.reader.exactly(len(early)), early)
        self.assertEqual(origin.received, early)

    def test_T04_the_200_announces_no_content(self):
        origin = self.origin(swallow)
        client = self.client()
        response = client.connect("origin.test:%d" % origin.port)
        self.assertEqual(response.status, 200)
        self.assertIsNone(response.header("content-length"))
        self.assertIsNone(response.header("transfer-encoding"))

    def test_T05_bytes_behind_a_refused_connect_are_never_a_request(self):
        origin = self.origin()
        client = self.client()
        response = client.ask(b"CONNECT denied.test:443 HTTP/1.1\r\nHost: denied.test:443\r\n\r\n"
                              b"GET http://origin.test:%d/smuggled HTTP/1.1\r\nHost: x\r\n\r\n" % origin.port,
                              method="GET")
        self.assert_refused(client, response, "policy_denied", rule="closed", closes=True)
        self.assertEqual(origin.connections, [])

    def test_T05_without_such_bytes_the_connection_can_be_used_again(self):
        origin = self.origin()
        client = self.client()
        self.assertEqual(client.ask(b"CONNECT denied.test:443 HTTP/1.1\r\nHost: denied.test:443\r\n\r\n").status, 403)
        self.assert_ok(client.get(self.url(origin)))

    def test_T08_targets_that_are_not_host_and_port_are_refused(self):
        for target in ("origin.test", "origin.test:", "origin.test:0", "origin.test:65536", "origin.test:443:443",
                       "origin.test:+443", "origin.test:4x3", ":443", "http://origin.test:443", "http://origin.test/",
                       "user@origin.test:443", "user:pw@origin.test:443", "origin.test:443/", "/", "*",
                       "::1:443", "[::1]", "[::1", "[::1%25lo]:443", "[fe80::1%lo]:443", "origin..test:443",
                       "127.1:443", "0x7f000001:443", "2130706433:443", "b\xfccher.test:443", "origin.test:443#x",
                       "origin.test:443?x", "%6frigin.test:443", "-:443" * 60):
            with self.subTest(target):
                client = self.client()
                response = client.ask(b"CONNECT " + target.encode("latin-1") + b" HTTP/1.1\r\nHost: x.test\r\n\r\n",
                                      method="GET")
                self.assertIsNotNone(response, "no response")
                client.close()
                line = self.egret.one_line(source=client.local)
                self.assertEqual(response.status, 400, line)
                self.assertIn(line["detail"], ("http1.invalid_connect_target", "http1.malformed",
                                               "http1.invalid_target"))

    def test_T08_spellings_of_one_target_are_one_target(self):
        for name in ("origin.test", "ORIGIN.test", "origin.test."):
            origin = self.origin(echo)
            client = self.client()
            self.assertEqual(client.connect("%s:%d" % (name, origin.port)).status, 200)
            client.close()
            self.assertEqual(self.end_of(client)["target"], "origin.test:%d" % origin.port)

    def test_T08_host_must_agree_where_it_is_sent(self):
        origin = self.origin(echo)
        client = self.client()
        response = client.ask(b"CONNECT origin.test:%d HTTP/1.1\r\nHost: second.test\r\n\r\n" % origin.port,
                              method="GET")
        self.assert_refused(client, response, "http1.host_mismatch")
        self.assertEqual(origin.connections, [])

    def test_T08_connect_has_no_body(self):
        for field in ("Content-Length: 5", "Transfer-Encoding: chunked"):
            client = self.client()
            response = client.ask(b"CONNECT origin.test:443 HTTP/1.1\r\nHost: origin.test:443\r\n%s\r\n\r\nhello"
                                  % field.encode(), method="GET")
            self.assert_refused(client, response, "http1.connect_with_body", closes=True)

    def test_T09_a_1_0_connect_without_host_is_served(self):
        origin = self.origin(echo)
        client = self.client()
        response = client.ask(b"CONNECT origin.test:%d HTTP/1.0\r\n\r\n" % origin.port)
        self.assertEqual(response.status, 200)
        client.send(b"\0ping")
        self.assertEqual(client.reader.exactly(5), b"\0ping")

    def test_T12_a_server_that_speaks_first_is_relayed(self):
        def smtp(connection):
            connection.send(b"220 mail.test ESMTP\r\n")
            echo(connection)
        origin = self.origin(smtp)
        client = self.client()
        began = time.monotonic()
        self.assertEqual(client.connect("origin.test:%d" % origin.port).status, 200)
        self.assertEqual(client.reader.until(b"\r\n"), b"220 mail.test ESMTP\r\n")
        print("the greeting came after %.0f ms" % ((time.monotonic() - began) * 1000))
        client.send(b"EHLO me\r\n")
        self.assertEqual(client.reader.until(b"\r\n"), b"EHLO me\r\n")
        client.send(b"QUIT\r\n")
        client.close()
        self.assertEqual(self.end_of(client)["carries"], "other")

    def test_T12_ssh_is_other_and_is_relayed_by_a_rule_that_says_so(self):
        origin = self.origin(echo)
        client = self.tunnel(origin)
        client.send(b"SSH-2.0-OpenSSH_9.2\r\n")
        self.assertEqual(client.reader.until(b"\r\n"), b"SSH-2.0-OpenSSH_9.2\r\n")

    def test_a_tunnel_to_where_nobody_listens_is_a_502_before_the_200(self):
        gone = self.origin()
        gone.close()
        client = self.client()
        response = client.ask(b"CONNECT origin.test:%d HTTP/1.1\r\nHost: origin.test:%d\r\n\r\n"
                              % (gone.port, gone.port), method="GET")
        self.assert_refused(client, response, "connection_refused")


class Contents(ProxyCase):
    """What a tunnel carries, where only TLS and HTTP are allowed."""

    def setUp(self):
        self.start(deny(), allow(protocols=("TLS", "HTTP")))

    def assert_cut(self, client, origin, detail):
        """The tunnel was ended for `detail` and the origin got no byte."""
        client.end()
        client.close()
        line = self.egret.one_line(source=client.local, kind="tunnel")
        self.assertEqual(line.get("detail"), detail, line)
        self.assertEqual(origin.received, b"")
        return line

    def test_T10_an_sni_that_is_not_the_target_is_refused_with_an_alert(self):
        for name in ("denied.test", "second.test", "x.origin.test", b"origin.test\0.evil.test", "127.0.0.1", b""):
            with self.subTest(name):
                origin = self.origin(swallow)
                client = self.tunnel(origin)
                client.send(records(client_hello(name)))
                alert = client.reader.exactly(7)
                self.assertEqual((alert[:1], alert[6:]), (b"\x15", b"\x31"), alert)  # fatal access_denied
                valid = name in ("denied.test", "second.test", "x.origin.test", "127.0.0.1")
                line = self.assert_cut(client, origin, "sni_mismatch" if valid else "tls_hello")
                if name in ("denied.test", "second.test"):
                    self.assertEqual((line["sni"], line["target"].split(":")[0]), (name, "origin.test"))

    def test_T10_a_client_hello_without_sni_is_refused_for_a_name(self):
        origin = self.origin(swallow)
        client = self.tunnel(origin)
        client.send(records(client_hello(None)))
        self.assert_cut(client, origin, "sni_missing")

    def test_T10_the_same_name_in_another_spelling_is_the_same(self):
        origin = self.origin(swallow)
        client = self.tunnel(origin, name="ORIGIN.test")
        hello = records(client_hello("Origin.TEST"))
        client.send(hello)
        until(lambda: origin.received == hello, "the ClientHello as it was sent")

    def test_T11_a_client_hello_in_pieces_is_read_and_relayed_unchanged(self):
        small = client_hello("origin.test")
        for what, data, step in (
            ("byte by byte", records(small), 1),
            ("records of 7 bytes", records(small, 7), 4096),
            ("records of 1 byte, byte by byte", records(small, 1), 1),
            ("20 KiB in two records", records(client_hello("origin.test", padding=20000)), 4096),
            ("GREASE and ECH", records(client_hello("origin.test", more=extension(0x0A0A, b"")
                                                    + grease_ech())), 4096),
        ):
            with self.subTest(what):
                origin = self.origin(swallow)
                client = self.tunnel(origin)
                client.send_split(data, step)
                until(lambda: origin.received == data, "the whole ClientHello")
                client.close()
                self.assertEqual(self.egret.one_line(source=client.local, kind="tunnel")["sni"], "origin.test")

    def test_T11_a_client_hello_that_is_too_large_or_broken_is_refused(self):
        whole = client_hello("origin.test")
        for what, data in (
            ("more than 64 KiB", records(client_hello("origin.test", padding=32100,
                                                      more=extension(0x1234, bytes(33300))))),
            ("empty records", b"\x16\x03\x01\x00\x00" * 1000 + records(whole)),
            ("length past the end", records(whole[:4] + b"\x03\x03" + b"\xff" * (len(whole) - 6))),
        ):
            with self.subTest(what):
                origin = self.origin(swallow)
                client = self.tunnel(origin)
                client.send_what_goes(data)
                client.end()
                client.close()
                line = self.egret.one_line(source=client.local, kind="tunnel")
                self.assertEqual(line["detail"], "tls_hello")
                self.assertEqual(origin.received, b"")

    def test_T12_anything_else_is_closed_without_a_byte_to_the_origin(self):
        origin = self.origin(swallow)
        client = self.tunnel(origin)
        client.send(b"SSH-2.0-OpenSSH_9.2\r\n")
        line = self.assert_cut(client, origin, "policy_denied")
        self.assertEqual((line["stage"], line["carries"]), ("hello", "other"))

    def test_T12_http_in_clear_is_judged_request_by_request(self):
        origin = self.origin(reply(OK))
        client = self.tunnel(origin)
        self.assert_ok(client.ask(b"GET /inside HTTP/1.1\r\nHost: origin.test:%d\r\n\r\n" % origin.port))
        self.assert_ok(client.ask(b"GET /again HTTP/1.1\r\nHost: ORIGIN.test:%d\r\n\r\n" % origin.port))
        self.assertEqual([r.target for r in origin.requests], ["/inside", "/again"])
        for host in ("second.test:%d" % origin.port, "denied.test", "origin.test:1"):
            response = client.ask(b"GET /other HTTP/1.1\r\nHost: %s\r\n\r\n" % host.encode())
            self.assertEqual(response.status, 421, response)
        self.assertEqual(len(origin.requests), 2)
        inside = self.egret.log_lines(5, source=client.local, kind="request")
        self.assertEqual([line["status"] for line in inside], [200, 200, 421, 421, 421])
        self.assertEqual(len({line["parent_id"] for line in inside}), 1)

    def test_T12_a_connect_inside_a_tunnel_is_refused(self):
        origin = self.origin(reply(OK))
        client = self.tunnel(origin)
        response = client.ask(b"CONNECT second.test:443 HTTP/1.1\r\nHost: second.test:443\r\n\r\n", method="GET")
        self.assertIn(response.status, (403, 421), response)
        self.assertEqual(origin.requests, [])

    def test_T12_prior_knowledge_h2_inside_is_no_way_around(self):
        origin = self.origin(swallow)
        client = self.tunnel(origin)
        client.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0" + b"\0\0\1\1\4\0\0\0\1\xff")
        client.end()  # HTTP/2 is read, not passed on: this is none
        self.assertEqual(origin.received, b"")

    def test_P11_a_websocket_through_connect_to_clear_http_is_a_tunnel_in_a_tunnel(self):
        def switch(connection):
            connection.read_request()
            connection.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                            b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
            echo(connection)
        origin = self.origin(switch)
        client = self.tunnel(origin)
        response = client.ask(b"GET /chat HTTP/1.1\r\nHost: origin.test:%d\r\nConnection: Upgrade\r\n"
                              b"Upgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                              b"Sec-WebSocket-Version: 13\r\n\r\n" % origin.port)
        self.assertEqual(response.status, 101, response)
        client.send(b"\x81\x05hello")
        self.assertEqual(client.reader.exactly(7), b"\x81\x05hello")


class Loops(ProxyCase):
    def test_T18_the_proxys_own_ports_are_never_reached(self):
        everywhere = {"name": "everywhere", "action": "ALLOW", "reaches_private": ["127.0.0.0/8"],
                      "to": {"domains": ["*.test"], "cidrs": ["127.0.0.0/8"], "protocols": ["TLS", "HTTP", "OTHER"],
                             "port_ranges": [{"first": 1, "last": 65535}]}}
        self.start(everywhere)
        for host in ("origin.test", "127.0.0.1"):
            for port in (self.egret.address[1], self.egret.admin[1]):
                with self.subTest((host, port)):
                    client = self.client()
                    response = client.ask(b"CONNECT %s:%d HTTP/1.1\r\nHost: %s:%d\r\n\r\n"
                                          % (host.encode(), port, host.encode(), port), method="GET")
                    self.assert_refused(client, response, "address_prohibited")
                    client = self.client()
                    self.assert_refused(client, client.get("http://%s:%d/ready" % (host, port)), "address_prohibited")
