"""Parent proxies over TLS: this proxy as a TLS client of another one, or of what pretends to be one."""
import os
import shutil
import socket
import ssl
import tempfile
import threading
import time

from authority import Authority
from egret import Egret
from harness import LOOPBACK, ProxyCase, allow, proxy_config
from origins import echo
from tls_origin import H2Server, TlsOrigin, server_context
from waiting import until


def pair(name, paths):
    return {"name": name, "certificate": {"certificate": {"file": paths[0]}, "key": {"file": paths[1]}}}


def trust(name, path):
    return {"name": name, "trust": {"roots": {"file": path}}}


class TlsParent(ProxyCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, True)
        cls.servers = Authority(os.path.join(cls.folder, "servers"), "servers")
        cls.people = Authority(os.path.join(cls.folder, "people"), "people")
        cls.parent_pair = cls.servers.issue("parent", "DNS:parent.test", "IP:127.0.0.1")
        cls.child_pair = cls.people.issue("child", "URI:spiffe://test/child")

    def start_parent(self, certificate=None, **terminator):
        """An Egret with TLS of its own."""
        literals = allow("literals", domains=())
        literals["to"]["cidrs"] = LOOPBACK
        config = proxy_config([allow(), literals])
        config["listeners"][0]["filters"].insert(0, {"tls_terminator": {"certificates": ["parent"], **terminator}})
        config["secrets"] = [pair("parent", certificate or self.parent_pair), trust("people", self.people.ca)]
        self.parent = Egret(config, {"origin.test": ["127.0.0.1"]})
        self.addCleanup(self._stop, self.parent)
        return self.parent.address[1]

    def start_child(self, port, resolve="REMOTE", host="parent.test", secrets=(), timeout="5s", proxy=None, **tls):
        filters = [{"egress_policy": {"policy": "web"}},
                   {"connect_tunnel": {"upstream": "up", "connect_timeout": timeout}},
                   {"forward_router": {"upstream": "up", "connect_timeout": timeout}}]
        config = proxy_config([allow()], filters)
        config["upstreams"] = [{"name": "up", "resolve": resolve,
                                "http_proxy": {"address": "%s:%d" % (host, port), "tls": {"trust": "servers", **tls},
                                               **(proxy or {})}}]
        config["workers"] = 1  # each has connections of its own
        config["secrets"] = [trust("servers", self.servers.ca), *secrets]
        self.start_config(config, {"origin.test": ["127.0.0.1"], "parent.test": ["127.0.0.1"], "other.test": ["127.0.0.1"]})

    def shaken(self, result):
        return self.egret.metric("egret_tls_handshakes_total", side="upstream", result=result)

    def test_requests_and_tunnels_where_the_parent_resolves(self):
        self.start_child(self.start_parent())
        origin = self.origin()
        client = self.client()
        for _ in range(3):
            self.assert_ok(client.get(self.url(origin)))
        self.assertEqual(self.shaken("ok"), 1)
        tunnel = self.tunnel(origin)
        self.assert_ok(tunnel.ask(b"GET / HTTP/1.1\r\nHost: origin.test:%d\r\n\r\n" % origin.port))
        line = self.egret.log_lines(4, kind="request")[0]
        self.assertEqual((line["next_hop"], line["status"]), ("up", 200))
        self.assertTrue(all(line["tls_version"] == "TLSv1.3" for line in self.parent.all_log_lines()))

    def test_a_tunnel_to_the_address_that_was_vetted_here(self):
        self.start_child(self.start_parent(), "LOCAL")
        origin = self.origin(echo)
        tunnel = self.tunnel(origin)
        tunnel.send(b"\x01raw")
        until(lambda: origin.received == b"\x01raw", "the bytes at the origin")
        self.assertEqual(tunnel.sock.recv(100), b"\x01raw")
        tunnel.fin()
        self.assertEqual(tunnel.end(), "fin")
        self.assertEqual(self.egret.one_line(kind="tunnel")["close_reason"], "client_fin")

    def test_sessions_are_resumed(self):
        port = self.start_parent()
        self.start_child(port, proxy={"http2": "NEVER"})
        origin = self.origin()
        for _ in range(3):
            client = self.tunnel(origin)
            self.assert_ok(client.ask(b"GET / HTTP/1.1\r\nHost: origin.test:%d\r\n\r\n" % origin.port))
            client.close()
        self.assertEqual(self.egret.metric("egret_tls_resumed_total", side="upstream"), 2)

    def test_http2_requests_and_tunnels_are_streams_of_one_connection(self):
        self.start_child(self.start_parent())
        origin = self.origin()
        tunnels = [self.tunnel(origin) for _ in range(5)]
        for tunnel in tunnels:
            self.assert_ok(tunnel.ask(b"GET / HTTP/1.1\r\nHost: origin.test:%d\r\n\r\n" % origin.port))
        for _ in range(5):
            self.assert_ok(self.client().get(self.url(origin)))
        self.assertEqual(self.shaken("ok"), 1)
        self.assertEqual({line["protocol"] for line in self.parent.log_lines(10, status=200, kind="request")
                          if "parent_id" not in line}, {"HTTP/2"})
        tunnels[0].reset()
        self.assert_ok(tunnels[1].ask(b"GET / HTTP/1.1\r\nHost: origin.test:%d\r\n\r\n" % origin.port))
        self.assertEqual({line["upstream_protocol"] for line in self.egret.log_lines(5, kind="request", protocol="HTTP/1.1")
                          if "parent_id" not in line}, {"HTTP/2"})

    def test_http2_a_tunnel_ends_as_its_client_does(self):
        for resolve in ("REMOTE", "LOCAL"):
            self.start_child(self.start_parent(), resolve)
            origin = self.origin(echo)
            tunnel = self.tunnel(origin)
            data = os.urandom(1000000)
            tunnel.send(b"\x01")
            self.assertEqual(tunnel.sock.recv(1), b"\x01")
            sender = threading.Thread(target=tunnel.send, args=(data,))
            sender.start()
            self.assertEqual(self.take(tunnel.sock, len(data)), data)
            sender.join()
            tunnel.fin()
            self.assertEqual((tunnel.end(), origin.wait_ended()), ("fin", "fin"))

    def take(self, sock, count):
        data = b""
        while len(data) < count:
            data += sock.recv(65536) or self.fail("ended after %d bytes" % len(data))
        return data

    def h2_parent(self, answer, **how):
        """A parent of a few words, in HTTP/2."""
        server = H2Server(answer, **how)
        parent = TlsOrigin(server_context(self.parent_pair, ["h2"]), lambda connection: None, h2_script=server)
        self.addCleanup(parent.close)
        secrets = [{"name": "who", "credential": {"inline_string": "us:secret"}}]
        self.start_child(parent.port, proxy={"credential": "who"}, secrets=secrets)
        return server, parent

    def test_http2_what_the_parent_is_told(self):
        server, _ = self.h2_parent(lambda headers, _: ([(":status", "200")], b"ok", None))
        self.assert_ok(self.client().get("http://origin.test/a?b"))
        self.assertEqual(self.client().ask(b"OPTIONS http://origin.test HTTP/1.1\r\nHost: origin.test\r\n\r\n").status, 200)
        asked, options = server.seen
        self.assertEqual([asked[name] for name in (":method", ":scheme", ":authority", ":path", "proxy-authorization")],
                         ["GET", "http", "origin.test", "/a?b", "Basic dXM6c2VjcmV0"])
        self.assertEqual((options[":method"], options[":path"]), ("OPTIONS", "*"))

    def test_http2_a_parent_that_refuses(self):
        for status, detail, error in (("407", "parent_auth", "proxy_configuration_error"),
                                      ("403", "parent_refused", "destination_unavailable")):
            server, _ = self.h2_parent(lambda headers, _, status=status: ([(":status", status)], b"no", None),
                                       at_head=True)
            self.refusal(detail, self.origin(), error)
            self.assertEqual((server.seen[0][":method"], server.seen[0]["proxy-authorization"]),
                             ("CONNECT", "Basic dXM6c2VjcmV0"))

    def test_http2_a_parent_that_says_goaway_is_asked_again(self):
        def leave(server, connection, h2, stream):
            if len(server.seen) > 1:
                return False
            h2.close_connection(last_stream_id=0)
            connection.send(h2.data_to_send())
            while connection.sock.recv(65536):  # closing with something unread would be a reset, which overtakes it
                pass
            return True
        server, parent = self.h2_parent(lambda headers, _: ([(":status", "403")], b"", None), before=leave, at_head=True)
        self.refusal("parent_refused", self.origin(), "destination_unavailable")
        self.assertEqual((len(parent.handshakes), len(server.seen)), (2, 2))

    def refusal(self, detail, origin, error=None):
        """Of a tunnel and of a request; the log tells why in words of the library."""
        client = self.client()
        response = client.connect("origin.test:%d" % origin.port)
        line = self.egret.one_line(source=client.local)
        self.assertEqual((response.status, line["detail"]), (502, detail), line)
        self.assertIn("error=" + (error or detail), (response.header("proxy-status") or "").replace('"', ""))
        self.assertEqual(origin.requests, [])
        return line

    def test_the_parents_certificate_is_verified(self):
        port = self.start_parent()
        origin = self.origin()
        self.start_child(port, host="other.test")
        self.assertEqual(self.refusal("tls_name_mismatch", origin, "tls_certificate_error")["tls_detail"],
                         "certificate refused: hostname mismatch")
        self.start_child(port, host="other.test", server_name="parent.test")
        self.tunnel(origin)
        self.start_child(port, host="127.0.0.1")
        self.tunnel(origin)
        self.start_child(port, trust="people", secrets=[trust("people", self.people.ca)])
        self.assertIn("unable to get local issuer certificate",
                      self.refusal("tls_certificate_error", origin)["tls_detail"])
        self.assertEqual(self.shaken("certificate"), 1)

    def test_a_client_certificate_is_shown(self):
        port = self.start_parent(client_certificates={"mode": "REQUIRE", "trust": "people"})
        origin = self.origin()
        self.start_child(port, certificate="child", secrets=[pair("child", self.child_pair)])
        client = self.tunnel(origin)
        self.assert_ok(client.ask(b"GET / HTTP/1.1\r\nHost: origin.test:%d\r\n\r\n" % origin.port))
        self.assertEqual(self.parent.log_lines(1)[0]["identity"], "spiffe://test/child")
        self.start_child(port)
        line = self.refusal("tls_alert_received", self.origin())
        self.assertIn("alert received: ", line["tls_detail"])
        client = self.client()
        self.assertEqual(client.get("http://origin.test/").status, 502)
        line = self.egret.one_line(source=client.local)
        self.assertEqual(line["detail"], "tls_alert_received")
        self.assertIn("alert received: ", line["tls_detail"])

    def test_a_parent_in_clear_is_no_parent_over_tls(self):
        def answer(connection):
            connection.reader.more()
            connection.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            connection.wait_end()
        parent = self.origin(answer)
        self.start_child(parent.port)
        line = self.refusal("tls_protocol_error", self.origin())
        self.assertEqual(line["tls_detail"], "wrong version number")

    def test_m12_a_parent_that_stalls_is_given_up(self):
        stalling = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(stalling.close)
        self.start_child(stalling.getsockname()[1], timeout="300ms")
        client = self.client()
        began = time.monotonic()
        self.assertEqual(client.connect("origin.test:80").status, 504)
        self.assertLess(time.monotonic() - began, 10)

    def test_m15_a_parents_response_that_is_cut_short_is_not_whole(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.parent_pair)

        def cut(connection):
            inner = context.wrap_socket(connection.sock, server_side=True)
            inner.recv(4000)
            inner.sendall(b"HTTP/1.1 200 OK\r\n\r\nhalf of it")
            os.close(inner.detach())
        parent = self.origin(cut)
        self.start_child(parent.port)
        client = self.client()
        client.get("http://origin.test/")
        self.assertEqual(self.egret.one_line(source=client.local)["detail"], "upstream_truncated")
