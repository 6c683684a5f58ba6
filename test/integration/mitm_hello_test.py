"""What clients show before a tunnel is decrypted, and the names within: rows T10-T13, M06, M17, P11 and H10 of the
catalogue where policy says INSPECT. Who is refused reads inside TLS why, and the origin hears nothing."""
import socket
import ssl
import subprocess
import unittest

from client_case import need
from harness import allow
from mitm_case import INSPECTED, SECRET, MitmCase
from origins import echo, swallow
from tls_hello import client_hello, grease_ech, records
from waiting import SECONDS, until

REQUEST = b"GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n"
TLS12, ECDHE_ECDSA = (0x0303,), (0xC02B,)  # where the server's certificate is sent in clear


def pump(tls, incoming, outgoing, sock, cut=lambda data: [data]):
    """A handshake of an ssl.SSLObject over a socket; what goes out goes in the pieces that `cut` makes of it."""
    while True:
        try:
            tls.do_handshake()
            done = True
        except ssl.SSLWantReadError:
            done = False
        for piece in cut(outgoing.read()):
            sock.sendall(piece)
        if done:
            return
        data = sock.recv(65536)
        assert data, "the proxy ended"
        incoming.write(data)


def in_small_records(size):
    """Cuts handshake records into smaller ones, each of which is sent by itself (RFC 8446 5.1)."""
    def cut(data):
        pieces = []
        while data[:1] == b"\x16":
            length = int.from_bytes(data[3:5], "big")
            body, data = data[5:5 + length], data[5 + length:]
            pieces += [data_of(body[at:at + size]) for at in range(0, len(body), size)]
        return pieces + [data] * bool(data)

    def data_of(body):
        return b"\x16\x03\x01" + len(body).to_bytes(2, "big") + body
    return cut


def byte_by_byte(data):
    return [data[at:at + 1] for at in range(len(data))]


class Hellos(MitmCase):
    def s_client(self, origin, *words, target="origin.test"):
        """What openssl says of a request inside; what it shows is its own affair."""
        need("openssl")
        authority = self.authority_of(origin, target)
        run = subprocess.run(["openssl", "s_client", "-proxy", "%s:%d" % self.egret.address, "-connect", authority,
                              "-CAfile", self.ours.ca, "-ign_eof", *words], input=REQUEST % authority.encode(),
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS * 2)
        return run.stdout.decode(errors="replace")

    def assert_page(self, told, origin, detail):
        """A 403 inside, and one line of the tunnel that says the same."""
        self.assertIn("403 Forbidden", told)
        self.assertIn("error=http_request_denied", told)
        return self.refused(origin, detail)

    def refused(self, origin, detail, inspected="refused"):
        line = self.egret.one_line(kind="tunnel", target=self.authority_of(origin))
        self.assertEqual((line["detail"], line["decision"], line["stage"], line.get("inspected")),
                         (detail, "deny", "hello", inspected), line)
        self.assertEqual((origin.handshakes, origin.received), ([], b""))
        return line


class Names(Hellos):
    def test_T10_each_mismatch_is_told_inside_and_counted_for_itself(self):
        self.start_mitm()
        for words, detail in ((["-servername", "second.test"], "sni_mismatch"),
                              (["-servername", "127.0.0.1"], "sni_mismatch"), (["-noservername"], "sni_missing"),
                              (["-servername", "a..b"], "sni_malformed")):
            with self.subTest(words):
                origin = self.tls_origin()
                before = self.egret.metric("egret_failures_total", detail=detail)
                line = self.assert_page(self.s_client(origin, *words), origin, detail)
                self.assertEqual(line.get("sni"), words[1] if len(words) > 1 else None)
                self.assertGreater(self.egret.metric("egret_failures_total", detail=detail), before)

    def test_T10_what_can_be_no_name_at_all_gets_an_alert(self):
        self.start_mitm()
        origin = self.tls_origin()
        self.assertIn("unrecognized name", self.s_client(origin, "-servername", "origin.test:443"))
        self.refused(origin, "sni_malformed", None)

    def test_T10_without_a_name_the_leaf_is_for_the_tunnels(self):
        for how in ("EAGER", "LAZY"):
            with self.subTest(how):
                self.start_mitm(allow("old-clients", inspection="REQUIRED", without_sni=True), origin=how)
                origin = self.tls_origin(alpn=("http/1.1",))
                told = self.s_client(origin, "-noservername", "-verify_hostname", "origin.test", "-verify_return_error")
                self.assertIn("Verification: OK", told)
                self.assertIn("200 OK", told)

    def test_H10_M06_a_host_that_is_missing_repeated_or_anothers(self):
        self.start_mitm()
        origin = self.tls_origin(alpn=("http/1.1",))
        own = "Host: " + self.authority_of(origin)
        for hosts, status in (((), 400), ((own, own), 400), ((own, "host: second.test"), 400), (("Host: a b",), 400),
                              (("Host: second.test:%d" % origin.port,), 421), (("Host: origin.test:1",), 421),
                              (("Host: www.origin.test:%d" % origin.port,), 421), (("Host: origin.test",), 421),
                              (("Host: ORIGIN.test.:%d" % origin.port,), 200)):
            with self.subTest(hosts):
                client = self.inside(origin)
                response = client.ask("\r\n".join(("GET / HTTP/1.1", *hosts, "", "")).encode())
                self.assertEqual(response.status, status, response)
                client.close()
        self.assertEqual({r.header("host") for r in origin.requests}, {self.authority_of(origin)})

    def test_M06_P11_no_other_way_within(self):
        """TLS once more, a proxy request, CONNECT, HTTP/2 in clear: nothing of it gets past the tunnel's own name."""
        self.start_mitm()
        origin = self.tls_origin(alpn=("http/1.1",))
        other = self.origin()
        own = self.authority_of(origin)
        client = self.inside(origin)
        response = client.ask(b"CONNECT second.test:%d HTTP/1.1\r\nHost: second.test:%d\r\n\r\n" % ((other.port,) * 2),
                              method="GET")
        self.assertGreaterEqual(response.status, 400, response)
        client = self.inside(origin)
        for scheme in ("http", "https"):
            target = "%s://second.test:%d/" % (scheme, other.port)
            response = client.ask(("GET %s HTTP/1.1\r\nHost: second.test:%d\r\n\r\n" % (target, other.port)).encode())
            self.assertEqual(response.status, 421, response)
        client = self.inside(origin)
        response = self.get_inside(client, origin, "/", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c",
                                   "HTTP2-Settings: AAMAAABkAAQAAP__")
        self.assert_ok(response)
        client = self.inside(origin)
        client.send_what_goes(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9))  # not what ALPN agreed on
        client.end()
        client = self.inside(origin)
        client.send_what_goes(records(client_hello("second.test")))
        client.end()
        self.assertEqual(other.connections, [])
        for request in origin.requests:
            self.assertEqual([request.header(name) for name in ("host", "upgrade", "http2-settings")],
                             [own, None, None])

    def test_P11_in_clear_to_the_same_tunnel_the_same_rules_hold(self):
        self.start_mitm()
        origin = self.origin()
        client = self.tunnel(origin)
        self.assert_ok(self.get_inside(client, origin))
        self.assertEqual(self.get_inside(client, origin, name="second.test").status, 421)
        self.assertEqual(self.get_inside(client, origin, "/secret").status, 403)
        response = self.get_inside(client, origin, "/secret", "Connection: Upgrade", "Upgrade: websocket",
                                   "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
        self.assertEqual(response.status, 403)
        self.assertEqual([request.target for request in origin.requests], ["/"])


class EncryptedHello(Hellos):
    """Row M17. That of TLS 1.2, so that the certificate can be seen."""

    def start_fronted(self):
        self.start_mitm(allow("fronted", domains=["origin.test"], inspection="REQUIRED", ech_outer_names=["ech.test"]),
                        INSPECTED)

    def shown(self, name, origin, target="origin.test", more=None):
        client = self.tunnel(origin, target)
        client.send(records(client_hello(name, more=grease_ech() if more is None else more, versions=TLS12,
                                         ciphers=ECDHE_ECDSA)))
        self.assertEqual(client.reader.until(b"\x0e\0\0\0")[:1], b"\x16")  # as far as ServerHelloDone
        client.close()
        return bytes(client.reader.received)

    def test_M17_noise_changes_nothing(self):
        self.start_fronted()
        origin = self.tls_origin()
        self.assertIn(b"origin.test", self.shown("origin.test", origin))
        line = self.egret.one_line(kind="tunnel")
        self.assertEqual((line["ech"], line["sni"], len(origin.handshakes)), (True, "origin.test", 1))

    def test_M17_the_leaf_is_for_the_outer_name_where_a_rule_gives_it(self):
        """So that a client learns, of somebody whom it believes, that its inner name cannot be read."""
        self.start_fronted()
        origin = self.tls_origin()
        self.assertIn(b"ech.test", self.shown("ech.test", origin))
        line = self.egret.one_line(kind="tunnel")
        self.assertEqual((line["ech"], line["sni"], line["rule"]), (True, "ech.test", "fronted"))

    def test_M17_other_names_are_refused(self):
        self.start_fronted()
        for name, target, more, detail in (("other.test", "origin.test", None, "ech_outer_name"),
                                           ("ech.test", "second.test", None, "ech_outer_name"),
                                           ("ech.test", "origin.test", b"", "sni_mismatch"),
                                           (None, "origin.test", None, "sni_missing")):
            with self.subTest((name, target)):
                origin = self.tls_origin()
                self.shown(name, origin, target, more)
                line = self.egret.one_line(kind="tunnel", target=self.authority_of(origin, target))
                self.assertEqual((line["detail"], line["decision"]), (detail, "deny"))
                self.assertEqual((origin.handshakes, origin.received), ([], b""))


class Sizes(Hellos):
    def shake(self, origin, cut, alpn=("http/1.1",)):
        client = self.tunnel(origin)
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = self.client_context(alpn).wrap_bio(incoming, outgoing, server_hostname="origin.test")
        first = []

        def once(data):  # the rest goes as it is
            first.append(data)
            return cut(data) if len(first) == 1 else [data] * bool(data)
        client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        pump(tls, incoming, outgoing, client.sock, once)
        tls.write(REQUEST % self.authority_of(origin).encode())
        client.send(outgoing.read())
        answer = b""
        while b"\r\n\r\nok" not in answer:
            try:
                answer += tls.read(4096)
            except ssl.SSLWantReadError:
                data = client.sock.recv(65536)
                self.assertTrue(data, answer)
                incoming.write(data)
        client.close()
        self.assertIn(b"200 OK", answer)
        return len(first[0])

    def test_T11_a_hello_in_pieces_is_read_and_the_handshake_goes_on(self):
        self.start_mitm()
        origin = self.tls_origin(alpn=("http/1.1",))
        for name, cut in (("byte by byte", byte_by_byte), ("records of 1", in_small_records(1)),
                          ("records of 50", in_small_records(50))):
            with self.subTest(name):
                self.shake(origin, cut)

    def test_T11_a_hello_larger_than_a_record(self):
        self.start_mitm()
        origin = self.tls_origin(alpn=("http/1.1",))
        alpn = ["http/1.1"] + ["protocol-%04d-%s" % (n, "x" * 200) for n in range(100)]
        self.assertGreater(self.shake(origin, lambda data: [data], alpn), 16384)

    def test_T11_one_that_is_too_large_is_refused(self):
        self.start_mitm(inspector={"max_bytes": 4096})
        origin = self.tls_origin()
        client = self.tunnel(origin)
        client.send_what_goes(records(client_hello("origin.test", padding=8000))[:-1])
        client.end()
        client.close()
        self.assertEqual(self.egret.one_line(kind="tunnel")["detail"], "tls_hello")
        self.assertEqual((origin.handshakes, origin.received), ([], b""))

    def test_T13_one_that_does_not_come_in_time_is_refused(self):
        self.start_mitm(inspector={"timeout": "0.2s"})
        whole = records(client_hello("origin.test"))
        for said in (whole[:20], whole[:-1]):
            origin = self.tls_origin()
            client = self.tunnel(origin)
            client.send(said)
            client.end()
            client.close()
            line = self.egret.one_line(kind="tunnel", target=self.authority_of(origin))
            self.assertEqual((line["detail"], line["side"]), ("tls_hello", "client"))
            self.assertEqual((origin.handshakes, origin.received), ([], b""))
        until(lambda: self.egret.metric("egret_tunnels_active") == 0, "no slot to be held")


class Others(Hellos):
    """Row T12: what a tunnel carries that is neither TLS nor HTTP."""

    def test_T12_where_all_must_be_read_it_is_refused(self):
        self.start_mitm()
        for said in (b"SSH-2.0-OpenSSH_9.2\r\n", b"\x13BitTorrent protocol", b"\0" * 100):
            with self.subTest(said):
                origin = self.origin(swallow)
                client = self.tunnel(origin)
                client.send(said)
                self.assertIn(client.end(), ("fin", "rst"))
                client.close()
                line = self.egret.one_line(kind="tunnel", target=self.authority_of(origin))
                self.assertEqual((line["detail"], line["carries"]), ("no_chain", "other"))
                self.assertEqual(origin.received, b"")

    def test_T12_a_server_that_speaks_first_is_not_heard_there(self):
        self.start_mitm()

        def smtp(connection):
            connection.send(b"220 mail.test ESMTP\r\n")
            connection.wait_end()
        origin = self.origin(smtp)
        client = self.tunnel(origin)
        client.end()
        self.assertEqual(client.reader.pending(), b"")
        client.close()
        self.assertEqual(self.egret.one_line(kind="tunnel")["detail"], "no_chain")
        self.assertEqual(origin.received, b"")

    def test_T12_a_rule_that_leaves_it_open_relays_it_and_reads_the_rest(self):
        self.start_mitm(SECRET, allow("open", domains=["second.test"], protocols=["OTHER"]),
                        allow("read", protocols=["TLS", "HTTP"]))

        def smtp(connection):
            connection.send(b"220 mail.test ESMTP\r\n")
            echo(connection)
        origin = self.origin(smtp)
        client = self.tunnel(origin, "second.test")
        self.assertEqual(client.reader.until(b"\r\n"), b"220 mail.test ESMTP\r\n")
        client.send(b"EHLO me\r\n")
        self.assertEqual(client.reader.until(b"\r\n"), b"EHLO me\r\n")
        client.close()
        site = self.tls_origin(alpn=("http/1.1",), pair=self.authority.issue("second", "DNS:second.test"))
        inside = self.inside(site, name="second.test")
        self.assertEqual(self.get_inside(inside, site, "/secret", name="second.test").status, 403)


if __name__ == "__main__":
    unittest.main()
