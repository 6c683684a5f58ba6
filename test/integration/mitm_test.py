"""TLS inside tunnels, decrypted and policed request by request. Rows of the catalogue are named."""
import hashlib
import json
import os
import signal
import socket
import ssl
import subprocess

from authority import Authority
from client_case import need, proxy_env
from h2_client import H2Client
from mitm_case import MitmCase
from nginx import Nginx
from origins import OK, reply_and_close
from tls_origin import H2Server
from waiting import until


def key_sha256(certificate):
    """As openssl reckons it, of a PEM file."""
    key = subprocess.run(["openssl", "x509", "-in", certificate, "-noout", "-pubkey"], stdout=subprocess.PIPE, check=True)
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=key.stdout, stdout=subprocess.PIPE,
                         check=True)
    return hashlib.sha256(der.stdout).hexdigest()


class Curl(MitmCase):
    """The thinnest whole: curl, the proxy, an nginx."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        need("curl")
        cls.nginx = Nginx()
        cls.addClassCleanup(cls.nginx.close)
        cls.big = os.urandom(3000000)
        cls.nginx.put("big.bin", cls.big)
        cls.nginx.put("hello.txt", b"hello\n")
        cls.nginx.put("secret/plans.txt", b"plans\n")

    def curl(self, *words, status=0):
        run = subprocess.run(["curl", "-sS", "--max-time", "60", *words], env=proxy_env(self.egret.url, self.ours.ca),
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual(run.returncode, status, run.stderr.decode() + run.stdout.decode(errors="replace")[:2000])
        return run.stdout

    def url(self, path):
        return "https://origin.test:%d%s" % (self.nginx.tls_port, path)

    def start_before_nginx(self, **terminator):
        self.start_mitm(origins_ca=self.nginx.certificates.ca, **terminator)

    def both(self):
        for origin in ("EAGER", "LAZY"):
            with self.subTest(origin):
                self.start_before_nginx(origin=origin)
                yield origin

    def test_a_request_and_its_lines(self):
        for how in self.both():
            self.assertEqual(self.curl("--http1.1", self.url("/hello.txt")), b"hello\n")
            tunnel = self.egret.one_line(kind="tunnel")
            request = self.egret.one_line(kind="request")
            self.assertEqual((tunnel["carries"], tunnel["sni"], tunnel["inspected"], tunnel["inside_tls_version"]),
                             ("tls", "origin.test", how.lower(), "TLSv1.3"))
            self.assertEqual((tunnel["decision"], tunnel["rule"], request["decision"], request["rule"]),
                             ("inspect", "secret", "allow", "inspected"))
            self.assertEqual((request["parent_id"], request["path"], request["status"], request["stage"]),
                             (tunnel["request_id"], "/hello.txt", 200, "request"))
            self.assertEqual(request["upstream_tls_version"], "TLSv1.2")
            self.assertEqual(request["upstream_key_sha256"], key_sha256(self.nginx.certificates.certificate))
            self.assertEqual((self.shaken(), self.shaken("upstream")), (1, 1))

    def test_what_is_refused_is_refused_inside(self):
        for _ in self.both():
            text = self.curl("-w", "%{http_code}", self.url("/secret/plans.txt")).decode()
            self.assertTrue(text.endswith("403"), text)
            self.assertIn("not for you", text)
            self.assertNotIn("plans\n", text)
            line = self.egret.one_line(kind="request")
            self.assertEqual((line["decision"], line["rule"], line["stage"]), ("deny", "secret", "request"))

    def test_http2_inside(self):
        for _ in self.both():
            self.assertEqual(self.curl("--http2", "-w", "%{http_version}", self.url("/hello.txt")), b"hello\n2")
            self.assertEqual(self.egret.one_line(kind="request")["upstream_protocol"], "HTTP/2")

    def test_large_content_is_whole_both_ways(self):
        digest = hashlib.sha256(self.big).digest()
        for how in self.both():
            for version in ("--http1.1", "--http2"):
                self.assertEqual(hashlib.sha256(self.curl(version, self.url("/big.bin"))).digest(), digest)
                name = "/put/%s%s" % (how, version)
                self.curl(version, "-f", "-T", os.path.join(self.nginx.root, "big.bin"), self.url(name))
                with open(self.nginx.folder + name, "rb") as f:
                    self.assertEqual(hashlib.sha256(f.read()).digest(), digest)



class Protocols(MitmCase):
    def test_m08_the_clients_alpn_is_what_the_origin_chose(self):
        self.start_mitm()
        for offered in ((), ("http/1.1",), ("h2", "http/1.1")):
            for spoken in ((), ("http/1.1",), ("h2", "http/1.1")):
                with self.subTest(client=offered, origin=spoken):
                    origin = self.tls_origin(alpn=spoken)
                    client = self.inside(origin, offered)
                    both = [one for one in offered if one in spoken]
                    agreed = both[0] if both else None
                    until(lambda: origin.handshakes, "the origin's handshake")
                    self.assertEqual(origin.handshakes[0][0], agreed)
                    # Who offers ALPN hears of HTTP/1.1, even of an origin that does not know it.
                    self.assertEqual(client.sock.selected_alpn_protocol(), agreed or ("http/1.1" if offered else None))
                    if agreed == "h2":
                        h2 = H2Client(None, sock=client.sock)
                        self.assertEqual(h2.response(self.ask_h2(h2, origin)).status, 200)
                    else:
                        self.assert_ok(self.get_inside(client, origin))
                    self.assertEqual(len(origin.handshakes), 1)

    def test_m08_lazily_either_side_has_what_it_knows(self):
        self.start_mitm(origin="LAZY")
        for offered in ((), ("http/1.1",), ("h2",)):
            for spoken in ((), ("http/1.1",), ("h2",)):
                with self.subTest(client=offered, origin=spoken):
                    origin = self.tls_origin(alpn=spoken)
                    client = self.inside(origin, offered)
                    self.assertEqual(client.sock.selected_alpn_protocol(), offered[0] if offered else None)
                    if offered == ("h2",):
                        h2 = H2Client(None, sock=client.sock)
                        self.assertEqual(h2.response(self.ask_h2(h2, origin)).status, 200)
                    else:
                        self.assert_ok(self.get_inside(client, origin))
                    self.assertEqual(origin.handshakes, [(spoken[0] if spoken else None, False)])

    def test_a_client_that_speaks_something_else_is_refused(self):
        self.start_mitm()
        for origin in (self.tls_origin(), self.tls_origin(alpn=("imap",))):
            with self.assertRaisesRegex(ssl.SSLError, "no application protocol"):
                self.inside(origin, ("imap",))
            line = self.egret.one_line(kind="tunnel", target=self.authority_of(origin))
            self.assertEqual((line["detail"], origin.handshakes), ("foreign_alpn", []))

    def test_http2_where_the_chain_does_not_speak_it(self):
        self.start_mitm(http={"http2": {"disabled": True}})
        origin = self.tls_origin()
        client = self.inside(origin, ("h2", "http/1.1"))
        self.assertEqual(client.sock.selected_alpn_protocol(), "http/1.1")
        self.assert_ok(self.get_inside(client, origin))

    def test_clear_http_passes_through(self):
        self.start_mitm()
        origin = self.origin()
        client = self.tunnel(origin)
        self.assert_ok(self.get_inside(client, origin))
        self.assertEqual(self.get_inside(client, origin, "/secret").status, 403)

    def test_what_is_neither_is_refused(self):
        self.start_mitm()
        client = self.tunnel(self.origin())
        client.send(b"SSH-2.0-test\r\n")
        self.assertIn(client.end(), ("fin", "rst"))
        self.assertEqual(self.egret.one_line(kind="tunnel")["detail"], "no_chain")

    def test_one_tunnel_has_many_requests_and_the_origin_one_connection(self):
        for alpn in (("http/1.1",), ("h2",)):
            with self.subTest(alpn):
                self.start_mitm()
                def serve(connection):
                    while connection.read_request() is not None:
                        connection.send(OK)
                origin = self.tls_origin(serve)
                client = self.inside_h2(origin) if alpn == ("h2",) else self.inside(origin)
                for i in range(5):
                    if alpn == ("h2",):
                        self.assertEqual(client.response(self.ask_h2(client, origin, "/%d" % i)).status, 200)
                    else:
                        self.assert_ok(self.get_inside(client, origin, "/%d" % i))
                self.assertEqual(len(origin.handshakes), 1)
                lines = self.egret.log_lines(5, kind="request")
                self.assertEqual([line.get("upstream_reused", False) for line in lines], [False] + [True] * 4)

    def test_a_connection_that_is_open_tells_as_well(self):
        self.start_mitm()
        origin = self.tls_origin()
        first = self.inside_h2(origin)
        self.assertEqual(first.response(self.ask_h2(first, origin)).status, 200)
        second = self.inside(origin, ("h2", "http/1.1"))
        h2 = H2Client(None, sock=second.sock)
        self.assertEqual(h2.response(self.ask_h2(h2, origin)).status, 200)
        self.assertEqual(len(origin.handshakes), 2)  # another offer is another key
        third = self.inside(origin, ("h2", "http/1.1"))
        self.assertEqual(third.sock.selected_alpn_protocol(), "h2")
        self.assertIn(("DNS", "*.more.test"), third.sock.getpeercert()["subjectAltName"])
        h2 = H2Client(None, sock=third.sock)
        self.assertEqual(h2.response(self.ask_h2(h2, origin)).status, 200)
        self.assertEqual(len(origin.handshakes), 2)
        third.close()
        self.assertEqual(self.egret.one_line(kind="tunnel", source=third.local)["inspected"], "live")

    def test_tls_in_connect_over_http2(self):
        self.start_mitm()
        origin = self.tls_origin()
        outer = H2Client(self.egret.address)
        self.addCleanup(outer.close)
        tunnel = outer.connect(self.authority_of(origin))
        self.assertEqual(outer.head(tunnel).status, 200)
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = self.client_context(("http/1.1",)).wrap_bio(incoming, outgoing, server_hostname="origin.test")
        heard = 0

        def pump(step):
            nonlocal heard
            while True:
                try:
                    result = step()
                except ssl.SSLWantReadError:
                    result = None
                if outgoing.pending:
                    outer.send(tunnel, outgoing.read())
                if result is not None:
                    return result
                body = outer.body(tunnel, heard + 1)
                incoming.write(bytes(body[heard:]))
                heard = len(body)
        pump(lambda: tls.do_handshake() or True)
        pump(lambda: tls.write(b"GET / HTTP/1.1\r\nHost: %s\r\n\r\n" % self.authority_of(origin).encode()))
        self.assertIn(b"200 OK", pump(lambda: tls.read(4096)))

    def test_an_upgrade_inside(self):
        def switch(connection):
            connection.read_head()
            connection.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                            b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
            while connection.reader.more():
                connection.send(connection.reader.rest())
        for how in ("EAGER", "LAZY"):
            with self.subTest(how):
                self.start_mitm(origin=how)
                origin = self.tls_origin(switch, alpn=("http/1.1",))
                client = self.inside(origin)
                response = self.get_inside(client, origin, "/", "Connection: Upgrade", "Upgrade: websocket",
                                           "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
                self.assertEqual((response.status, len(origin.handshakes)), (101, 1))
                client.send(b"ping")
                self.assertEqual(client.sock.recv(4), b"ping")

    def test_content_and_trailers_both_ways_as_grpc_sends_them(self):
        self.start_mitm()
        h2 = H2Server(lambda headers, content: ([(":status", "200"), ("content-type", "application/grpc")],
                                                content[::-1], [("grpc-status", "0")]))
        origin = self.tls_origin(h2=h2)
        client = self.inside_h2(origin)
        stream = self.ask_h2(client, origin, "/", ("content-type", "application/grpc"), ("te", "trailers"),
                             method="POST", end=False)
        client.send(stream, b"\0\0\0\0\x05hello", end=True)
        answer = client.response(stream)
        self.assertEqual((answer.status, answer.body, answer.trailers), (200, b"olleh\x05\0\0\0\0", {"grpc-status": "0"}))

    def test_no_way_past_the_proxy_is_shown(self):
        self.start_mitm()
        answer = b"HTTP/1.1 200 OK\r\nAlt-Svc: h3=\":443\"\r\nContent-Length: 2\r\n\r\nok"
        origin = self.tls_origin(reply_and_close(answer), alpn=("http/1.1",))
        response = self.get_inside(self.inside(origin), origin)
        self.assert_ok(response)
        self.assertIsNone(response.header("alt-svc"))

    def test_100_continue_inside(self):
        self.start_mitm()

        def take(connection):
            connection.read_head()
            connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            connection.reader.exactly(5)
            connection.send(OK)
        origin = self.tls_origin(take, alpn=("http/1.1",))
        client = self.inside(origin)
        client.send(b"POST / HTTP/1.1\r\nHost: %s\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
                    % self.authority_of(origin).encode())
        self.assertEqual(client.reader.head().status, 100)
        client.send(b"taken")
        self.assert_ok(client.read_response("POST"))

    def test_m15_content_that_was_cut_short_is_told_as_such(self):
        self.start_mitm()

        def cut(connection):
            connection.read_head()
            connection.send(b"HTTP/1.1 200 OK\r\n\r\nhalf of it")
            connection.sock = socket.socket(fileno=connection.sock.detach())  # ends without close_notify
        origin = self.tls_origin(cut, alpn=("http/1.1",))
        client = self.inside(origin)
        client.send(b"GET / HTTP/1.1\r\nHost: %s\r\n\r\n" % self.authority_of(origin).encode())
        with self.assertRaises((OSError, AssertionError)):
            response = client.read_response()
            self.assertEqual(response.body, b"half of it and the rest")
        self.assertEqual(self.egret.one_line(kind="request")["detail"], "upstream_truncated")


class Names(MitmCase):
    def test_m03_the_leaf_is_for_the_target_first_and_bears_the_origins_names(self):
        self.start_mitm()
        origin = self.tls_origin()
        client = self.inside(origin)
        certificate = client.sock.getpeercert()
        self.assertEqual(certificate["subjectAltName"], (("DNS", "origin.test"), ("DNS", "*.more.test")))
        lifetime = ssl.cert_time_to_seconds(certificate["notAfter"]) - ssl.cert_time_to_seconds(certificate["notBefore"])
        self.assertLessEqual(lifetime, 90 * 86400)
        self.assertNotIn("OCSP", certificate)
        self.assertNotIn("caIssuers", certificate)
        again = self.inside(origin)
        self.assertEqual(again.sock.getpeercert()["serialNumber"], certificate["serialNumber"])  # minted once

    def test_m06_each_request_is_for_the_tunnels_own_name(self):
        self.start_mitm()
        origin = self.tls_origin()
        client = self.inside(origin)
        self.assertEqual(self.get_inside(client, origin, name="second.test").status, 421)
        self.assert_ok(self.get_inside(client, origin))
        h2 = self.inside_h2(origin)
        for name in ("second.test", "a.more.test"):  # the certificate is good for the latter
            self.assertEqual(h2.response(self.ask_h2(h2, origin, name=name)).status, 421)
        self.assertEqual(h2.response(self.ask_h2(h2, origin)).status, 200)

    def test_m06_a_request_in_clear_inside_tls_is_misdirected(self):
        self.start_mitm()
        origin = self.tls_origin()
        client = self.inside(origin)
        authority = self.authority_of(origin)
        response = client.ask(("GET http://%s/ HTTP/1.1\r\nHost: %s\r\n\r\n" % (authority, authority)).encode())
        self.assertEqual((response.status, origin.requests), (421, []))

    def test_the_refused_see_it_inside(self):
        """Stage H denies: the SNI is not the tunnel's name."""
        self.start_mitm()
        origin = self.tls_origin()
        client = self.tunnel(origin)
        client.sock = self.client_context().wrap_socket(client.sock, server_hostname="second.test")
        client.reader.sock = client.sock
        response = self.get_inside(client, origin, name="second.test")
        self.assertEqual(response.status, 403, response)
        self.assertIn("error=http_request_denied", response.header("proxy-status"))
        self.assertEqual((origin.handshakes, origin.names), ([], []))  # not one byte
        client.close()
        line = self.egret.one_line(kind="tunnel")
        self.assertEqual((line["inspected"], line["decision"], line["stage"]), ("refused", "deny", "hello"))

    def test_the_refused_see_it_inside_over_http2_too(self):
        self.start_mitm()
        origin = self.tls_origin()
        client = self.tunnel(origin)
        sock = self.client_context(("h2",)).wrap_socket(client.sock, server_hostname="second.test")
        h2 = H2Client(None, sock=sock)
        self.addCleanup(h2.close)
        self.assertEqual(h2.response(self.ask_h2(h2, origin, name="second.test")).status, 403)


class Trust(MitmCase):
    def test_m11_a_client_that_does_not_believe_the_leaf_is_told_of(self):
        self.start_mitm()
        origin = self.tls_origin()
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with self.subTest(version):
                context = self.client_context(trust=False)
                context.minimum_version = context.maximum_version = version
                with self.assertRaises(ssl.SSLCertVerificationError):
                    self.inside(origin, context=context)
        lines = self.egret.log_lines(2, kind="tunnel")
        for line in lines:
            self.assertEqual((line["detail"], line["side"]), ("leaf_refused", "client"), line)
            self.assertIn("unknown CA", line["tls_detail"])
        self.assertEqual(self.egret.metric("egret_leaf_refusals_total", reason="unknown_ca"), 2)
        known = json.loads(self.egret.get("/inspection")[1])["refused_leaves"]
        self.assertEqual([(one["name"], one["refusals"]) for one in known], [("origin.test", {"unknown_ca": 2})])
        self.assertIn("inspection: NEVER", known[0]["suggestion"])
        self.assertEqual(origin.requests, [])

    def test_m11_one_that_leaves_without_a_word_is_counted_apart(self):
        self.start_mitm()
        origin = self.tls_origin()
        self.inside(origin).close()
        self.assertEqual(self.egret.one_line(kind="tunnel")["close_reason"], "client_silent")
        self.assertEqual(self.egret.metric("egret_leaf_refusals_total", reason="silent"), 1)
        self.assertNotIn("suggestion", json.loads(self.egret.get("/inspection")[1])["refused_leaves"][0])

    def test_m10_a_client_certificate_for_those_that_ask(self):
        people = Authority(os.path.join(self.folder, "people"), "people")
        shown = people.issue("proxy", "URI:spiffe://test/proxy")
        secret = {"name": "us", "certificate": {"certificate": {"file": shown[0]}, "key": {"file": shown[1]}}}
        for how in ("EAGER", "LAZY"):
            with self.subTest(how):
                self.start_mitm(origin=how, secrets=[secret], destinations=[
                    {"domains": ["origin.test"], "tls": {"trust": "origins", "certificate": "us"}}])
                origin = self.tls_origin(client_ca=people.ca)
                self.assert_ok(self.get_inside(self.inside(origin), origin))
                other = self.tls_origin(client_ca=people.ca, pair=self.authority.issue("second", "DNS:second.test"))
                with self.assertRaises((OSError, AssertionError)):
                    self.assert_ok(self.get_inside(self.inside(other, name="second.test"), other, name="second.test"))
                self.assertEqual(other.requests, [])

    def test_verification_is_lifted_for_a_name_only_and_loudly(self):
        self.start_mitm(destinations=[{"domains": ["second.test"], "unverified": True}])
        pair = Authority(os.path.join(self.folder, "nobody"), "nobody").issue("x", "DNS:nothing.test")
        origin = self.tls_origin(pair=pair)
        with self.assertRaises(ssl.SSLError):
            self.inside(origin)
        self.assert_ok(self.get_inside(self.inside(origin, name="second.test"), origin, name="second.test"))
        self.assertIn("second.test are not verified", self.egret.stderr())

    def test_sessions_go_on_on_either_side(self):
        self.start_mitm()
        origin = self.tls_origin(reply_and_close(OK), alpn=("http/1.1",))
        context = self.client_context(("http/1.1",))
        first = self.inside(origin, context=context)
        self.assert_ok(self.get_inside(first, origin, "/", "Connection: close"))
        session = first.sock.session
        first.close()
        second = self.tunnel(origin)
        second.sock = context.wrap_socket(second.sock, server_hostname="origin.test", session=session)
        second.reader.sock = second.sock
        self.assertTrue(second.sock.session_reused)
        self.assert_ok(self.get_inside(second, origin))
        second.close()
        lines = self.egret.log_lines(2, kind="tunnel")
        self.assertEqual([line.get("inside_tls_resumed", False) for line in lines], [False, True])
        self.assertEqual([resumed for _, resumed in origin.handshakes], [False, True])

    def test_m13_another_ca_takes_its_place(self):
        self.start_mitm()
        origin = self.tls_origin()
        self.assert_ok(self.get_inside(self.inside(origin), origin))
        other = Authority(os.path.join(self.folder, "next"), "next")
        for new, old in ((other.path("next.key"), self.ours.path("ours.key")), (other.ca, self.ours.ca)):
            with open(new) as f, open(old) as g:
                kept = g.read()
                self.addCleanup(self._put, old, kept)
                self._put(old, f.read())
        context = ssl.create_default_context(cafile=other.ca)
        self.egret.signal(signal.SIGHUP)
        until(lambda: self.egret.metric("egret_secret_reloads_total", result="ok") >= 1, "the new CA")
        self.assert_ok(self.get_inside(self.inside(origin, context=context), origin))

    def _put(self, path, text):
        with open(path, "w") as f:
            f.write(text)
