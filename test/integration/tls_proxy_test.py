"""The listener's own TLS: an HTTPS proxy, as curl, openssl and Python's ssl see it. Rows of the catalogue are named."""
import hashlib
import os
import shutil
import signal
import ssl
import subprocess

from h2_client import H2Client
from harness import SANITIZED, allow
from origins import OK, reply
from raw_client import RawClient
from tls_case import CURL, TlsProxy, pair
from waiting import SECONDS, until


class Clients(TlsProxy):
    def test_curl_asks_and_tunnels(self):
        self.start_tls()
        origin = self.origin()
        self.assertEqual(self.curl(self.url(origin)), b"ok")
        line = self.egret.log_lines(1, kind="request")[0]
        self.assertEqual((line["tls_version"], line["tls_cipher"]), ("TLSv1.3", "TLS_AES_128_GCM_SHA256"))
        self.assertNotIn("client_subject", line)
        self.assertEqual(self.curl("--proxytunnel", self.url(origin)), b"ok")
        self.assertEqual(self.egret.log_lines(kind="tunnel")[0]["tls_version"], "TLSv1.3")
        self.assertEqual(self.handshakes("ok"), 2)
        self.assertEqual(self.egret.metric("egret_tls_versions_total", side="client", version="TLSv1.3"), 2)

    def test_a_client_that_does_not_believe_us_says_so(self):
        self.start_tls()
        run = subprocess.run([*CURL, "-x", "https://%s:%d" % self.egret.address, "http://origin.test/"],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual(run.returncode, 60)
        line = self.egret.one_line(kind="connection")
        self.assertEqual((line["detail"], line["tls_detail"], line["side"]),
                         ("tls_alert_received", "alert received: unknown CA", "client"))
        self.assertEqual(self.handshakes("alert"), 1)

    def test_tls_inside_a_tunnel_inside_tls(self):
        self.start_tls()
        certificate = self.servers.issue("origin", "DNS:origin.test")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)

        def serve(connection):
            with context.wrap_socket(connection.sock, server_side=True) as inner:
                inner.recv(1000)
                inner.sendall(OK)
                inner.unwrap()
        origin = self.origin(serve)
        self.assertEqual(self.curl("--cacert", self.servers.ca, "https://origin.test:%d/" % origin.port), b"ok")
        line = self.egret.one_line(kind="tunnel")
        self.assertEqual((line["carries"], line["sni"]), ("tls", "origin.test"))
        self.assertIn(line["close_reason"], ("client_fin", "upstream_fin"))

    def test_many_requests_and_much_both_ways_on_one_connection(self):
        self.start_tls()
        body = os.urandom(3_000_000)
        digests = []

        def serve(connection):
            while True:
                request = connection.read_request()
                if request is None:
                    return
                digests.append(hashlib.sha256(request.body).digest())
                connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        origin = self.origin(serve)
        client = self.tls_client(alpn=["http/1.1"])
        for _ in range(4):
            head = "POST %s HTTP/1.1\r\nHost: origin.test:%d\r\nContent-Length: %d\r\n\r\n" % (
                self.url(origin), origin.port, len(body))
            self.assert_ok(client.ask(head.encode() + body), body)
        self.assertEqual(digests, [hashlib.sha256(body).digest()] * 4)
        lines = self.egret.log_lines(4, kind="request", tls_alpn="http/1.1", tls_sni="proxy.test")
        self.assertEqual(len({line["source"] for line in lines}), 1)

    def test_http2_is_spoken_where_alpn_agrees_on_it(self):
        self.start_tls()
        origin = self.origin(reply(OK), reply(OK))
        authority = "origin.test:%d" % origin.port
        client = H2Client(None, sock=self.tls_client(alpn=["h2", "http/1.1"]).sock)
        plain = client.get(authority, "/plain")
        tunnel = client.connect(authority)
        self.assertEqual(client.response(plain).status, 200)
        self.assertEqual(client.head(tunnel).status, 200)
        client.send(tunnel, b"GET /inside HTTP/1.1\r\nHost: %s\r\n\r\n" % authority.encode())
        client.until(lambda: client.streams[tunnel].body.endswith(b"ok"))
        self.egret.log_lines(1, path="/plain", protocol="HTTP/2", tls_alpn="h2")
        self.egret.log_lines(1, path="/inside", protocol="HTTP/1.1")

    def test_what_alpn_agreed_on_holds(self):
        self.start_tls()
        client = self.tls_client(alpn=["http/1.1"])
        response = client.ask(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        self.assertEqual(response.status, 400)
        client = self.tls_client(alpn=["h2"])
        client.send(b"GET http://origin.test/ HTTP/1.1\r\nHost: origin.test\r\n\r\n")
        self.assertEqual(client.end(), "fin")
        self.egret.one_line(kind="connection", detail="http2.protocol_error")

    def test_m15_an_upload_that_is_cut_short_is_not_taken_for_whole(self):
        self.start_tls()
        origin = self.origin(lambda connection: connection.wait_end())
        client = self.tls_client()
        client.send(b"POST %s HTTP/1.1\r\nHost: origin.test:%d\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
                    % (self.url(origin).encode(), origin.port))
        until(lambda: origin.received.endswith(b"hello\r\n"), "the body at the origin")
        os.close(client.sock.detach())  # a FIN and no close_notify
        self.assertNotEqual(origin.wait_ended(), None)
        self.assertNotIn(b"\r\n0\r\n", origin.received)
        self.assertIn(self.egret.one_line(kind="request")["detail"], ("client_ended_early", "client_gone"))

    def test_a_tunnel_whose_end_was_not_announced_is_reset(self):
        self.start_tls()
        origin = self.origin(lambda connection: connection.wait_end())
        client = self.tls_client()
        self.assertEqual(client.connect("origin.test:%d" % origin.port).status, 200)
        client.send(b"\x01raw")
        until(lambda: origin.received == b"\x01raw", "the bytes at the origin")
        os.close(client.sock.detach())
        self.assertEqual(origin.wait_ended(), "rst")
        line = self.egret.one_line(kind="tunnel")
        self.assertEqual((line["close_reason"], line["detail"]), ("client_severed", "client_ended_early"))

    def test_a_tunnel_that_is_ended_in_order_is_ended_in_order(self):
        self.start_tls()
        origin = self.origin(lambda connection: connection.wait_end())
        client = self.tls_client()
        self.assertEqual(client.connect("origin.test:%d" % origin.port).status, 200)
        client.send(b"\x01raw")
        client.sock.settimeout(SECONDS)
        client.sock.unwrap().close()
        self.assertEqual(origin.wait_ended(), "fin")
        self.assertEqual(self.egret.one_line(kind="tunnel")["close_reason"], "client_fin")


class Certificates(TlsProxy):
    def test_chosen_by_name(self):
        wild = self.servers.issue("wild", "DNS:*.example.test")
        self.start_tls(secrets=[pair("wild", wild)], certificates=["proxy", "wild"])
        for name, subject in (("proxy.test", "proxy"), ("a.example.test", "wild"), ("example.test", "proxy"),
                              ("other.test", "proxy")):
            self.assertIn("subject=CN = " + subject, self.s_client("-servername", name), name)
        self.assertIn("subject=CN = proxy", self.s_client("-noservername"))
        self.assertEqual(len([s for s in self.egret.metrics() if s.startswith("egret_certificate_not_after_seconds")]), 2)

    def test_renewed_while_connections_go_on(self):
        paths = [os.path.join(self.folder, n) for n in ("live.pem", "live.key")]
        for new, live in zip(self.proxy, paths):
            shutil.copy(new, live)
        self.start_tls(secrets=[pair("live", paths)], certificates=["live"])
        origin = self.origin()
        client = self.tls_client()
        self.assert_ok(client.get(self.url(origin)))

        # A certificate without its key is no use: what is there stays.
        renewed = self.servers.issue("renewed", "DNS:proxy.test")
        shutil.copy(renewed[0], paths[0])
        until(lambda: self.egret.metric("egret_secret_reloads_total", result="failed") == 1, "a failed reload")
        self.assertIn("it is not the key of this certificate", self.egret.stderr())
        self.assertIn("subject=CN = proxy", self.s_client())
        shutil.copy(renewed[1], paths[1])
        until(lambda: self.egret.metric("egret_secret_reloads_total", result="ok") == 1, "a reload")
        self.assertIn("subject=CN = renewed", self.s_client())
        self.assert_ok(client.get(self.url(origin)))

        # As Kubernetes does it: another file by the same name.
        third = self.servers.issue("third", "DNS:proxy.test")
        for new, live in zip(third, paths):
            shutil.copy(new, live + ".new")
            os.rename(live + ".new", live)
        until(lambda: self.egret.metric("egret_secret_reloads_total", result="ok") == 2, "another reload")
        self.assertIn("subject=CN = third", self.s_client())
        self.egret.signal(signal.SIGHUP)
        # Everything is read again then, the roots that origins are verified with among it.
        until(lambda: self.egret.metric("egret_secret_reloads_total", result="ok") >= 3, "the reload by SIGHUP")
        self.assert_ok(client.get(self.url(origin)))

    def test_what_cannot_be_read_at_the_start_is_told(self):
        bad = os.path.join(self.folder, "bad.pem")
        with open(bad, "w") as f:
            f.write("nothing\n")
        with self.assertRaises(AssertionError) as ended:
            self.start_tls(secrets=[pair("bad", (bad, self.proxy[1]))], certificates=["bad"])
        self.assertIn("secrets[1].certificate: no certificate in it", str(ended.exception))


class ClientCertificates(TlsProxy):
    def with_pair(self, paths):
        return ["--proxy-cert", paths[0], "--proxy-key", paths[1]]

    def test_m18_required(self):
        good = self.people.issue("ci", "URI:spiffe://test/ns/ci", "DNS:ci.test")
        revoked = self.people.issue("revoked", "DNS:revoked.test")
        expired = self.people.issue("expired", "DNS:expired.test", end="20200101000000Z")
        stranger = self.servers.issue("stranger", "DNS:stranger.test")
        self.start_asking("REQUIRE", crl=self.people.revocations(revoked[0]))
        origin = self.origin()
        self.assertEqual(self.curl(*self.with_pair(good), self.url(origin)), b"ok")
        line = self.egret.one_line(kind="request")
        self.assertEqual((line["identity"], line["client_subject"]), ("spiffe://test/ns/ci", "CN=ci"))
        self.assertRegex(line["client_sha256"], "^[0-9a-f]{64}$")
        asked, refused = len(origin.requests), 0
        for words, told in ((self.with_pair(stranger), "self-signed certificate in certificate chain"),
                            (self.with_pair(expired), "certificate has expired"),
                            (self.with_pair(revoked), "certificate revoked"),
                            ([], "peer did not return a certificate")):
            with self.subTest(told):
                self.curl(*words, self.url(origin), status=56)
                self.assertIn("alert", self.errors)
                refused += 1
                line = self.egret.log_lines(refused, kind="connection")[-1]
                self.assertEqual(line["detail"], "tls_certificate_error")
                self.assertIn(told, line["tls_detail"])
        self.assertEqual(self.handshakes("certificate"), 4)
        self.assertEqual(len(origin.requests), asked)

    def test_requested_and_judged_by_rules(self):
        rules = [allow("by-id", **{"from": {"spiffe_ids": ["spiffe://test/ns/*"]}}),
                 allow("by-name", **{"from": {"claims": [{"name": "x509.dns", "values": ["build.test"]}]}})]
        self.start_asking("REQUEST", *rules)
        origin = self.origin()
        ci = self.people.issue("ci", "URI:spiffe://test/ns/ci")
        build = self.people.issue("build", "DNS:build.test")
        other = self.people.issue("other", "URI:spiffe://other/ns/ci")
        for paths, status, rule in ((ci, b"200", "by-id"), (build, b"200", "by-name"), (other, b"403", None),
                                    (None, b"403", None)):
            words = self.with_pair(paths) if paths else []
            out = self.curl(*words, "-o", "/dev/null", "-w", "%{http_code}", self.url(origin))
            self.assertEqual(out, status, rule)
            if rule:
                self.egret.log_lines(1, rule=rule)
        self.assertEqual(len(origin.requests), 2)

    def test_a_tunnel_keeps_who_opened_it(self):
        self.start_asking("REQUIRE", allow("inside", **{"from": {"spiffe_ids": ["spiffe://test/ns/ci"]}}))
        origin = self.origin()
        good = self.people.issue("ci", "URI:spiffe://test/ns/ci")
        self.assertEqual(self.curl(*self.with_pair(good), "--proxytunnel", self.url(origin)), b"ok")
        line = self.egret.one_line(kind="request", protocol="HTTP/1.1", method="GET")
        self.assertEqual((line["identity"], line["client_subject"]), ("spiffe://test/ns/ci", "CN=ci"))


class Handshakes(TlsProxy):
    def test_both_kinds_of_client_on_one_port(self):
        self.start_tls(plaintext_too=True)
        origin = self.origin()
        self.assertEqual(self.curl(self.url(origin)), b"ok")
        self.assertEqual(self.egret.log_lines(1, kind="request")[0]["tls_version"], "TLSv1.3")
        self.assertEqual(self.curl(self.url(origin), scheme="http"), b"ok")
        self.assertNotIn("tls_version", self.egret.log_lines(2, kind="request")[1])
        client = self.client()
        for _ in range(3):
            self.assert_ok(client.get(self.url(origin)))

    def test_clear_http_is_refused_where_only_tls_is_taken(self):
        self.start_tls()
        client = self.client()
        client.send(b"GET http://origin.test/ HTTP/1.1\r\nHost: origin.test\r\n\r\n")
        self.assertIsNone(client.read_response())
        line = self.egret.one_line(kind="connection")
        self.assertEqual((line["detail"], line["tls_detail"]), ("tls_protocol_error", "http request"))

    def test_a_probe_is_not_worth_a_line(self):
        self.start_tls()
        RawClient(self.egret.address).close()
        until(lambda: self.handshakes("gone") == 1, "the probe")
        self.assertEqual(self.egret.all_log_lines(), [])

    def test_m07_versions_and_cipher_suites(self):
        self.start_tls()
        for words in (["-tls1", "-cipher", "DEFAULT:@SECLEVEL=0"], ["-tls1_1", "-cipher", "DEFAULT:@SECLEVEL=0"],
                      ["-tls1_2", "-cipher", "AES128-GCM-SHA256"], ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA"]):
            self.assertIn("Cipher is (NONE)", self.s_client(*words), words)
        self.assertIn("TLSv1.2, Cipher is ECDHE-ECDSA-AES128-GCM-SHA256", self.s_client("-tls1_2"))
        self.assertIn("Compression: NONE", self.s_client("-tls1_2", "-comp"))
        self.assertEqual(self.handshakes("protocol"), 4)

    def test_m07_the_least_version_is_configured(self):
        self.start_tls(minimum_version="TLS_1_3")
        self.assertIn("Cipher is (NONE)", self.s_client("-tls1_2"))
        self.assertIn("TLSv1.3", self.s_client())

    def test_m08_protocols(self):
        self.start_tls()
        self.assertIn("ALPN protocol: http/1.1", self.s_client("-alpn", "spdy/3,http/1.1"))
        self.assertIn("ALPN protocol: h2", self.s_client("-alpn", "http/1.1,h2"))  # our preference counts
        self.assertIn("No ALPN negotiated", self.s_client())
        self.assertIn("no application protocol", self.s_client("-alpn", "spdy/3"))

    def test_m09_resumption_is_checked_and_early_data_refused(self):
        rules = [allow(**{"from": {"spiffe_ids": ["spiffe://test/a"]}})]
        self.start_asking("REQUIRE", *rules)
        origin = self.origin()
        paths = self.people.issue("a", "URI:spiffe://test/a")
        session = os.path.join(self.folder, "session")
        request = b"GET %s HTTP/1.1\r\nHost: origin.test:%d\r\nConnection: close\r\n\r\n" % (
            self.url(origin).encode(), origin.port)
        words = ["-cert", paths[0], "-key", paths[1], "-ign_eof"]
        self.assertIn("New, TLSv1.3", self.s_client(*words, "-sess_out", session, send=request))
        told = self.s_client(*words, "-sess_in", session, send=request)
        self.assertIn("Reused, TLSv1.3", told)
        self.assertIn("200 OK", told)
        self.assertEqual(self.egret.metric("egret_tls_resumed_total", side="client"), 1)
        self.assertEqual({line["identity"] for line in self.egret.log_lines(2, kind="request")}, {"spiffe://test/a"})
        early = os.path.join(self.folder, "early")
        with open(early, "wb") as f:
            f.write(request)
        before = len(origin.requests)
        self.assertIn("Early data was not sent", self.s_client(*words[:-1], "-sess_in", session, "-early_data", early))
        self.assertEqual(len(origin.requests), before)

    def test_m12_slow_handshakes_end(self):
        self.start_tls(handshake_timeout="300ms")
        hello = ssl.MemoryBIO()
        context = ssl.create_default_context()
        conversation = context.wrap_bio(ssl.MemoryBIO(), hello, server_hostname="proxy.test")
        with self.assertRaises(ssl.SSLWantReadError):
            conversation.do_handshake()
        said = hello.read()
        silent, half = self.client(), self.client()
        half.send(said[:len(said) // 2])
        self.assertEqual(silent.end(), "fin")
        self.assertIn(half.end(), ("fin", "rst"))
        self.assertEqual(self.egret.one_line(kind="connection")["detail"], "tls_handshake_timeout")
        self.assertEqual(self.handshakes("timeout"), 2)
        self.assertEqual(self.egret.metric("egret_limit_hits_total", limit="tls_handshake_timeout"), 1)

    def test_m12_a_hello_without_end_is_cut_off(self):
        self.start_tls()
        client = self.client()
        record = b"\x16\x03\x01\x40\x00" + bytes(16384)
        sent, before = 0, self.egret.resident_kib()
        try:
            client.send(b"\x16\x03\x01\x00\x04\x01\xff\xff\xff")  # of 16 MiB
            while sent < 16 << 20:
                client.send(record)
                sent += len(record)
        except (ConnectionResetError, BrokenPipeError):
            pass
        self.assertLess(sent, 16 << 20)
        self.assertEqual(self.egret.one_line(kind="connection")["detail"], "tls_protocol_error")
        if not SANITIZED:
            self.assertLess(self.egret.resident_kib() - before, 2048)

    def test_m12_a_flood_of_half_handshakes_does_not_stop_others(self):
        self.start_tls()
        origin = self.origin()
        idle = [self.client() for _ in range(200)]
        for client in idle:
            client.send(b"\x16\x03\x01")
        self.assertEqual(self.curl(self.url(origin)), b"ok")
        for client in idle:
            client.close()
        until(lambda: self.handshakes("gone") == 200, "them all to be gone")

    def test_m12_renegotiation_is_refused(self):
        self.start_tls()
        told = self.s_client("-tls1_2", send=b"R\n")
        self.assertIn("no renegotiation", told)

    def test_drained_like_any_other(self):
        self.start_tls()
        origin = self.origin(reply(OK))
        client = self.tls_client()
        self.assert_ok(client.get(self.url(origin)))
        self.egret.terminate()
        client.sock.settimeout(SECONDS)
        self.assertEqual(client.sock.recv(1), b"")  # close_notify: an end, no error
        self.assertEqual(self.egret.wait(), 0)
