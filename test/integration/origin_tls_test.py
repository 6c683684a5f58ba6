"""https:// asked of the proxy: TLS and ALPN with origins, in HTTP/2 and HTTP/1.1. Rows of the catalogue are named."""
import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading

from authority import Authority
from h2_client import H2Client
from harness import HOSTS, ProxyCase, allow, deny, proxy_config
from nginx import Nginx
from origins import OK, reply, reply_and_close
from tls_origin import H2Server, TlsOrigin, server_context


def tunnel(connection):
    """Script: a parent proxy for one tunnel, to this machine whatever it is asked for."""
    request = connection.read_head()
    with socket.create_connection(("127.0.0.1", int(request.start_line.split()[1].split(":")[1]))) as there:
        connection.send(b"HTTP/1.1 200 OK\r\n\r\n")
        back = threading.Thread(target=pump, args=(there, connection.sock), daemon=True)
        back.start()
        while connection.reader.more():
            there.sendall(connection.reader.rest())


def pump(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:  # the other direction ended it
        pass


class OriginTls(ProxyCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, True)
        cls.authority = Authority(os.path.join(cls.folder, "origins"), "origins")
        cls.pair = cls.authority.issue("origin", "DNS:origin.test", "IP:127.0.0.1")

    def start_https(self, *rules, ca=None, in_clear=True, secrets=(), upstreams=None, **router):
        router.setdefault("tls", {"trust": "origins"})
        filters = [{"egress_policy": {"policy": "web"}}, {"connect_tunnel": {}}, {"forward_router": router}]
        config = proxy_config(list(rules) or [deny(), allow()], filters)
        config["listeners"][0]["filters"][0]["http_connection"]["https_in_clear"] = in_clear
        config["workers"] = 1  # each has connections of its own
        config["secrets"] = [{"name": "origins", "trust": {"roots": {"file": ca or self.authority.ca}}}, *secrets]
        if upstreams:
            config["upstreams"] = upstreams
        return self.start_config(config, HOSTS)

    def tls_origin(self, *scripts, alpn=("h2", "http/1.1"), pair=None, h2=None, client_ca=None, adjust=None):
        context = server_context(pair or self.pair, alpn, client_ca)
        if adjust:
            adjust(context)
        origin = TlsOrigin(context, *(scripts or (reply(OK),)), h2_script=h2 or H2Server())
        self.addCleanup(origin.close)
        return origin

    def h2(self):
        client = H2Client(self.egret.address)
        self.addCleanup(client.close)
        return client

    def https(self, port, path="/", name="origin.test"):
        return "https://%s:%d%s" % (name, port, path)

    def ask_h2(self, client, port, *fields, path="/", method="GET", end=True, name="origin.test"):
        return client.open([(":method", method), (":scheme", "https"), (":authority", "%s:%d" % (name, port)),
                            (":path", path), *fields], end)

    def shaken(self, result="ok"):
        return self.egret.metric("egret_tls_handshakes_total", side="upstream", result=result)


class Requests(OriginTls):
    def test_https_is_asked_of_nginx_in_http2(self):
        nginx = Nginx()
        self.addCleanup(nginx.close)
        nginx.put("big.bin", os.urandom(2000000))
        self.start_https(ca=nginx.certificates.ca)
        client = self.client()
        for _ in range(2):
            response = client.get(self.https(nginx.tls_port, "/big.bin"))
            self.assertEqual((response.status, len(response.body)), (200, 2000000))
        h2 = self.h2()
        self.assertEqual(h2.response(self.ask_h2(h2, nginx.tls_port, path="/big.bin")).status, 200)
        self.assertEqual(nginx.requests(), ["GET /big.bin HTTP/2.0"] * 3)
        self.assertEqual(self.shaken(), 1)
        lines = self.egret.log_lines(3, kind="request")
        for line in lines:
            self.assertEqual((line["upstream_protocol"], line["upstream_tls_version"]), ("HTTP/2", "TLSv1.2"))
        self.assertEqual([line.get("upstream_reused", False) for line in lines], [False, True, True])

    def test_host_and_sni_are_the_targets_and_443_is_implied(self):
        self.start_https()
        h2 = H2Server()
        origin = self.tls_origin(h2=h2)
        self.assert_ok(self.client().get(self.https(origin.port, "/a?b"), host="other.test"))
        self.assertEqual(origin.names, ["origin.test"])
        seen = h2.seen[0]
        self.assertEqual((seen[":scheme"], seen[":authority"], seen[":path"]),
                         ("https", "origin.test:%d" % origin.port, "/a?b"))
        client = self.client()
        client.get("https://origin.test/")
        self.assertEqual(self.egret.one_line(source=client.local)["target"], "origin.test:443")

    def test_http1_keeps_its_connection_and_resumes_its_session(self):  # M09
        self.start_https()
        origin = self.tls_origin(reply(OK), reply_and_close(OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")),
                                 reply(OK), alpn=("http/1.1",))
        client = self.client()
        for _ in range(3):
            self.assert_ok(client.get(self.https(origin.port)))
        self.assertEqual(origin.handshakes, [("http/1.1", False)])
        self.egret.get("/")
        for connection in origin.connections:
            connection.sock.close()
        for _ in range(2):
            self.assert_ok(client.get(self.https(origin.port)))
        self.assertEqual([resumed for _, resumed in origin.handshakes], [False, True, True])
        self.assertEqual(self.egret.metric("egret_tls_resumed_total", side="upstream"), 2)
        self.assertTrue(self.egret.log_lines(5, kind="request")[-1]["upstream_tls_resumed"])

    def test_m08_nine_ways(self):
        """Client and origin in HTTP/2, HTTP/1.1 and without ALPN, over TLS on both sides."""
        config = proxy_config([allow()], [{"egress_policy": {"policy": "web"}},
                                          {"forward_router": {"tls": {"trust": "origins"}}}])
        config["listeners"][0]["filters"].insert(0, {"tls_terminator": {"certificates": ["proxy"]}})
        config["secrets"] = [
            {"name": "origins", "trust": {"roots": {"file": self.authority.ca}}},
            {"name": "proxy", "certificate": {"certificate": {"file": self.pair[0]}, "key": {"file": self.pair[1]}}}]
        self.start_config(config, HOSTS)
        for offered in (["h2"], ["http/1.1"], []):
            origin = self.tls_origin(alpn=offered)
            for spoken in (["h2"], ["http/1.1"], []):
                with self.subTest(origin=offered, client=spoken):
                    client = self.client()
                    context = ssl.create_default_context(cafile=self.authority.ca)
                    if spoken:
                        context.set_alpn_protocols(spoken)
                    sock = context.wrap_socket(client.sock, server_hostname="origin.test")
                    if spoken == ["h2"]:
                        h2 = H2Client(None, sock=sock)
                        answer = h2.response(self.ask_h2(h2, origin.port))
                        self.assertEqual((answer.status, answer.body), (200, b"ok"))
                    else:
                        client.sock = client.reader.sock = sock
                        self.assert_ok(client.get(self.https(origin.port)))
                    line = self.egret.one_line(source=client.local)
                    self.assertEqual(line["upstream_protocol"], "HTTP/2" if offered == ["h2"] else "HTTP/1.1")
            self.assertEqual({alpn for alpn, _ in origin.handshakes}, {offered[0] if offered else None})

    def test_in_clear_https_is_asked_for_only_where_it_is_allowed(self):
        self.start_https(in_clear=False)
        client = self.client()
        self.assert_refused(client, client.get("https://origin.test/"), "https_in_clear")

    def test_policy_sees_tls(self):
        self.start_https(allow("clear", protocols=("HTTP",)))
        origin = self.tls_origin()
        client = self.client()
        self.assert_refused(client, client.get(self.https(origin.port)), "policy_denied")
        self.assertEqual(origin.connections, [])

    def test_upstream_http2_never_and_always(self):
        self.start_https(upstream_http2="NEVER")
        origin = self.tls_origin()
        self.assert_ok(self.client().get(self.https(origin.port)))
        self.assertEqual(origin.handshakes, [("http/1.1", False)])
        self.start_https(upstream_http2="ALWAYS")
        self.assert_ok(self.client().get(self.https(origin.port)))
        self.assertEqual(origin.handshakes[1][0], "h2")
        older = self.tls_origin(alpn=["http/1.1"])
        client = self.client()
        response = client.get(self.https(older.port))
        line = self.egret.one_line(source=client.local)
        self.assertEqual((response.status, older.requests), (502, []), line)
        clear = self.origin(H2Server())
        self.assert_ok(self.client().get(self.url(clear)))
        self.assertEqual(self.egret.log_lines(3, kind="request")[-1]["upstream_protocol"], "HTTP/2")

    def test_an_upgrade_goes_over_http1(self):
        self.start_https()

        def switch(connection):
            connection.read_head()
            connection.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                            b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
            while connection.reader.more():
                connection.send(connection.reader.rest())
        origin = self.tls_origin(switch)
        client = self.client()
        response = client.get(self.https(origin.port), "Connection: Upgrade", "Upgrade: websocket",
                              "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
        self.assertEqual((response.status, origin.handshakes[0][0]), (101, "http/1.1"))
        client.send(b"ping")
        self.assertEqual(client.sock.recv(4), b"ping")

    def test_content_and_trailers_both_ways_as_grpc_sends_them(self):
        self.start_https()
        h2 = H2Server(lambda headers, content: ([(":status", "200"), ("content-type", "application/grpc")],
                                                content[::-1], [("grpc-status", "0")]))
        origin = self.tls_origin(h2=h2)
        client = self.h2()
        stream = self.ask_h2(client, origin.port, ("content-type", "application/grpc"), ("te", "trailers"), method="POST",
                             end=False)
        client.send(stream, b"\0\0\0\0\x05hello", end=True)
        answer = client.response(stream)
        self.assertEqual((answer.status, answer.body, answer.trailers), (200, b"olleh\x05\0\0\0\0", {"grpc-status": "0"}))
        self.assertEqual(h2.seen[0]["te"], "trailers")


class Refusals(OriginTls):
    def refused(self, pair, why):
        self.start_https()
        origin = self.tls_origin(pair=pair)
        client = self.client()
        response = client.get(self.https(origin.port))
        line = self.egret.one_line(source=client.local)
        detail = "tls_name_mismatch" if "mismatch" in why else "tls_certificate_error"
        self.assertEqual((response.status, line["detail"]), (502, detail), line)
        self.assertIn("error=tls_certificate_error", response.header("proxy-status").replace('"', ""))
        self.assertIn(why, line["tls_detail"])
        self.assertEqual((origin.handshakes, origin.requests, self.shaken("certificate")), ([], [], 1))

    def test_an_expired_certificate(self):
        self.refused(self.authority.issue("old", "DNS:origin.test", end="20200101000000Z"), "expired")

    def test_a_certificate_for_another_name(self):
        self.refused(self.authority.issue("other", "DNS:other.test"), "hostname mismatch")

    def test_a_certificate_without_a_name(self):
        self.refused(self.authority.issue("origin.test"), "hostname mismatch")

    def test_a_certificate_of_somebody_unknown(self):
        other = Authority(os.path.join(self.folder, "unknown"), "unknown")
        self.refused(other.issue("origin", "DNS:origin.test"), "unable to get local issuer certificate")

    def test_a_certificate_that_is_signed_by_itself(self):
        paths = [os.path.join(self.folder, name) for name in ("self.pem", "self.key")]
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-subj", "/CN=origin.test", "-addext", "subjectAltName=DNS:origin.test", "-out", paths[0],
                        "-keyout", paths[1]], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.refused(paths, "self-signed certificate")

    def test_m07_nothing_below_the_floor(self):
        def only_old_versions(context):
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1

        def no_forward_secrecy(context):
            context.maximum_version = ssl.TLSVersion.TLSv1_2
            context.set_ciphers("AES128-SHA256:AES128-GCM-SHA256:ECDHE-ECDSA-AES128-SHA")
        for adjust in (only_old_versions, no_forward_secrecy):
            with self.subTest(adjust.__name__):
                self.start_https()
                origin = self.tls_origin(adjust=adjust)
                client = self.client()
                response = client.get(self.https(origin.port))
                line = self.egret.one_line(source=client.local)
                self.assertEqual(response.status, 502, line)
                self.assertIn(line["detail"], ("tls_alert_received", "tls_protocol_error"))
                self.assertEqual(origin.requests, [])

    def test_an_origin_in_clear(self):
        self.start_https()

        def refuse(connection):
            connection.reader.more()
            connection.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            connection.wait_end()
        origin = self.origin(refuse)
        client = self.client()
        self.assertEqual(client.get(self.https(origin.port)).status, 502)
        self.assertEqual(self.egret.one_line(source=client.local)["detail"], "tls_protocol_error")

    def test_a_client_certificate_is_shown_where_one_is_asked_for(self):
        people = Authority(os.path.join(self.folder, "people"), "people")
        shown = people.issue("proxy", "URI:spiffe://test/proxy")
        secrets = [{"name": "us", "certificate": {"certificate": {"file": shown[0]}, "key": {"file": shown[1]}}}]
        self.start_https(tls={"trust": "origins", "certificate": "us"}, secrets=secrets)
        origin = self.tls_origin(client_ca=people.ca)
        self.assert_ok(self.client().get(self.https(origin.port)))
        self.assertEqual(self.shaken(), 1)
        self.start_https()
        origin = self.tls_origin(client_ca=people.ca, alpn=["http/1.1"])
        client = self.client()
        self.assertEqual(client.get(self.https(origin.port)).status, 502)
        line = self.egret.one_line(source=client.local)
        self.assertEqual(line["detail"], "tls_alert_received", line)
        self.assertIn("alert received: ", line["tls_detail"])


class Bursts(OriginTls):
    def many(self, client, port, count):
        return [self.ask_h2(client, port, path="/%d" % i) for i in range(count)]

    def test_a_hundred_at_once_share_one_handshake(self):
        self.start_https()
        h2 = H2Server(hold=100)
        origin = self.tls_origin(h2=h2)
        client = self.h2()
        for stream in self.many(client, origin.port, 100):
            self.assertEqual(client.response(stream).status, 200)
        self.assertEqual((len(origin.handshakes), self.shaken(), h2.most_open), (1, 1, 100))

    def test_what_an_origin_does_not_take_at_once_goes_over_more_connections(self):
        self.start_https()
        h2 = H2Server(streams=10, hold=30)
        origin = self.tls_origin(h2=h2)
        client = self.h2()
        for stream in self.many(client, origin.port, 30):
            self.assertEqual(client.response(stream).status, 200)
        self.assertEqual((len(origin.handshakes), h2.most_open), (3, 10))

    def test_where_it_is_http1_each_has_a_connection_of_its_own(self):
        self.start_https()
        together = threading.Barrier(20, timeout=60)

        def meet(connection):
            connection.read_request()
            together.wait()
            connection.send(OK)
            connection.wait_end()
        origin = self.tls_origin(meet, alpn=["http/1.1"])
        client = self.h2()
        for stream in self.many(client, origin.port, 20):
            self.assertEqual(client.response(stream).status, 200)
        self.assertEqual(len(origin.handshakes), 20)

    def test_a_burst_at_an_origin_that_is_not_there(self):
        self.start_https()
        port = self.origin().port
        bad = self.tls_origin(pair=self.authority.issue("other", "DNS:other.test"))
        client = self.h2()
        for stream in self.many(client, bad.port, 20):
            self.assertEqual(client.response(stream).status, 502)
        self.assertEqual({line["detail"] for line in self.egret.log_lines(20, kind="request")}, {"tls_name_mismatch"})
        self.assertNotEqual(port, bad.port)

    def test_an_origin_that_says_goaway_is_asked_again(self):
        self.start_https()

        def leave(server, connection, h2, stream):
            if len(server.seen) > 1:
                return False
            h2.close_connection(last_stream_id=0)
            connection.send(h2.data_to_send())
            return True
        h2 = H2Server(before=leave)
        origin = self.tls_origin(h2=h2)
        client = self.h2()
        self.assertEqual(client.response(self.ask_h2(client, origin.port)).status, 200)
        self.assertEqual(len(origin.handshakes), 2)


class Parents(OriginTls):
    def test_a_parent_sees_a_tunnel_and_nothing_of_what_is_inside(self):
        for resolve in ("REMOTE", "LOCAL"):
            with self.subTest(resolve):
                parent = self.origin(tunnel)
                self.start_https(upstream="up", upstreams=[
                    {"name": "up", "resolve": resolve, "http_proxy": {"address": "127.0.0.1:%d" % parent.port}}])
                origin = self.tls_origin()
                client = self.client()
                for _ in range(2):
                    self.assert_ok(client.get(self.https(origin.port, "/secret")))
                self.assertEqual(origin.handshakes, [("h2", False)])
                line = self.egret.log_lines(2, kind="request")[0]
                self.assertEqual((line["next_hop"], line["upstream_tls_version"]), ("up", "TLSv1.3"))
                host = "origin.test" if resolve == "REMOTE" else "127.0.0.1"
                self.assertEqual([r.start_line for r in parent.requests], ["CONNECT %s:%d HTTP/1.1" % (host, origin.port)])
                self.assertNotIn(b"secret", parent.received)
