"""Handshakes of intercepted tunnels that go wrong, slowly or weakly, on either side, and certificates with odd names.
Rows M02, M07, M09, M12 and M16 of the catalogue, where policy says INSPECT."""
import datetime
import os
import ssl
import subprocess
import unittest
from types import SimpleNamespace

try:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
except ImportError:
    x509 = None

from client_case import need
from harness import SANITIZED
from mitm_case import MitmCase
from tls_hello import client_hello, records
from waiting import SECONDS, until

DAY = datetime.timedelta(days=1)


class Case(MitmCase):
    def s_client(self, origin, *words, request=True):
        need("openssl")
        authority = self.authority_of(origin)
        said = "GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n" % authority if request else "R\n"
        run = subprocess.run(["openssl", "s_client", "-proxy", "%s:%d" % self.egret.address, "-connect", authority,
                              "-servername", "origin.test", "-CAfile", self.ours.ca, *words], input=said.encode(),
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS * 2)
        return run.stdout.decode(errors="replace")

    def refused_by_eager(self, origin):
        """The handshake is not even answered. Gives the tunnel's line."""
        with self.assertRaises(ssl.SSLError):
            self.inside(origin)
        self.assertEqual(origin.requests, [])
        return self.egret.one_line(kind="tunnel", target=self.authority_of(origin))

    def cpu_seconds(self):
        with open("/proc/%d/stat" % self.egret.pid) as f:
            fields = f.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@unittest.skipIf(x509 is None, "python3-cryptography is not installed")
class OddCertificates(Case):
    """Row M02."""

    def issue(self, *names, common_name="origin.test", behind=0):
        """Of the origins' authority, whatever the names are: (chain, key). behind: so many useless ones follow it."""
        with open(self.authority.path("origins.key"), "rb") as f:
            issuer_key = serialization.load_pem_private_key(f.read(), None)
        with open(self.authority.ca, "rb") as f:
            issuer = x509.load_pem_x509_certificate(f.read())
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.datetime.utcnow()
        subject = [x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)] if common_name else []
        made = (x509.CertificateBuilder().subject_name(x509.Name(subject)).issuer_name(issuer.subject)
                .public_key(key.public_key()).serial_number(x509.random_serial_number()).not_valid_before(now - DAY)
                .not_valid_after(now + 30 * DAY)
                .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), False)
                .sign(issuer_key, hashes.SHA256()))
        pem = made.public_bytes(serialization.Encoding.PEM)
        stem = os.path.join(self.folder, "odd-%d" % made.serial_number)
        with open(stem + ".pem", "wb") as f:
            f.write(pem * (1 + behind))
        with open(stem + ".key", "wb") as f:
            f.write(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                      serialization.NoEncryption()))
        return stem + ".pem", stem + ".key"

    def origin_of(self, *names, **more):
        return self.tls_origin(pair=self.issue(*names, **more), alpn=("http/1.1",))

    def test_M02_names_that_do_not_match(self):
        self.start_mitm()
        for names in (("origin.test\0.evil.test",), ("*.test",), ("*",), ("o*.test",), ("origin.tes\x01t",),
                      ("evil.test", "origin.test."), ("origin.test evil.test",)):
            with self.subTest(names):
                line = self.refused_by_eager(self.origin_of(*names, common_name="evil.test"))
                self.assertEqual(line["detail"], "tls_name_mismatch")

    def test_M02_a_common_name_is_no_name_where_there_are_others(self):
        self.start_mitm()
        line = self.refused_by_eager(self.origin_of("evil.test", common_name="origin.test"))
        self.assertEqual(line["detail"], "tls_name_mismatch")

    def test_M02_odd_names_beside_the_right_one_are_not_taken_over(self):
        self.start_mitm()
        odd = ("a\0b.test", "*.com", "*", "o*.test", "b c.test", "-.test", "x" * 64 + ".test", "\x7f.test", "a..test")
        origin = self.origin_of("origin.test", *odd, "good.test", common_name="")
        client = self.inside(origin)
        self.assertEqual(client.sock.getpeercert()["subjectAltName"], (("DNS", "origin.test"), ("DNS", "good.test")))
        self.assert_ok(self.get_inside(client, origin))

    def test_M02_very_many_names_are_bounded(self):
        """A few thousand are as many as the library takes at all."""
        self.start_mitm()
        many = ["n%d.test" % n for n in range(5000)]
        origin = self.origin_of("origin.test", *many)
        before = self.cpu_seconds()
        client = self.inside(origin)
        self.assertLessEqual(len(client.sock.getpeercert()["subjectAltName"]), 100)
        self.assert_ok(self.get_inside(client, origin))
        if not SANITIZED:
            self.assertLess(self.cpu_seconds() - before, 1)

    def test_M02_what_is_too_large_is_refused(self):
        self.start_mitm()
        before = self.egret.resident_kib()
        for origin in (self.origin_of("origin.test", *("n%d.test" % n for n in range(10000))),
                       self.origin_of("origin.test", behind=2500)):
            self.assertEqual(self.refused_by_eager(origin)["detail"], "tls_protocol_error")
        if not SANITIZED:
            self.assertLess(self.egret.resident_kib() - before, 8 << 10)


class Floor(Case):
    """Row M07: on neither side less than what the proxy stands for, whatever the other side would take."""

    def test_M07_clients(self):
        self.start_mitm()
        origin = self.tls_origin(alpn=("http/1.1",))
        for words in (["-tls1", "-cipher", "DEFAULT:@SECLEVEL=0"], ["-tls1_1", "-cipher", "DEFAULT:@SECLEVEL=0"],
                      ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA"]):
            with self.subTest(words):
                self.assertIn("Cipher is (NONE)", self.s_client(origin, *words, "-ign_eof"))
        self.assertEqual(origin.requests, [])
        self.assertIn("TLSv1.2, Cipher is ECDHE-ECDSA-AES128-GCM-SHA256", self.s_client(origin, "-tls1_2", "-ign_eof"))

    def test_M07_origins(self):
        """A strong client is no help to a weak origin."""
        def old(context):
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1

        def weak(context):
            context.maximum_version = ssl.TLSVersion.TLSv1_2
            context.set_ciphers("AES128-SHA256:AES128-GCM-SHA256:ECDHE-ECDSA-AES128-SHA")
        self.start_mitm()
        for adjust in (old, weak):
            with self.subTest(adjust.__name__):
                line = self.refused_by_eager(self.tls_origin(adjust=adjust))
                self.assertIn(line["detail"], ("tls_alert_received", "tls_protocol_error"))
                self.assertEqual(line["side"], "upstream")


class Sessions(Case):
    """Row M09."""

    def test_M09_each_request_of_a_resumed_session_is_judged_and_early_data_is_refused(self):
        self.start_mitm()
        origin = self.tls_origin(alpn=("http/1.1",))
        session = os.path.join(self.folder, "session")
        self.assertIn("200 OK", self.s_client(origin, "-sess_out", session, "-ign_eof"))
        told = self.s_client(origin, "-sess_in", session, "-ign_eof")
        self.assertIn("Reused, TLSv1.3", told)
        self.assertIn("200 OK", told)
        early = os.path.join(self.folder, "early")
        with open(early, "w") as f:
            f.write("GET /early HTTP/1.1\r\nHost: %s\r\n\r\n" % self.authority_of(origin))
        self.assertIn("Early data was not sent", self.s_client(origin, "-sess_in", session, "-early_data", early))
        self.assertNotIn("/early", [request.target for request in origin.requests])
        context = self.client_context()
        first = self.inside(origin, context=context)
        self.assert_ok(self.get_inside(first, origin))
        again = self.tunnel(origin)
        again.sock = context.wrap_socket(again.sock, server_hostname="origin.test", session=first.sock.session)
        again.reader.sock = again.sock
        self.assertTrue(again.sock.session_reused)
        self.assertEqual(self.get_inside(again, origin, "/secret").status, 403)

    def test_M09_a_session_does_not_go_on_under_another_name(self):
        self.start_mitm()
        both = self.authority.issue("both", "DNS:origin.test", "DNS:second.test")
        origin = self.tls_origin(alpn=("http/1.1",), pair=both)
        context = self.client_context()
        context.check_hostname = False  # which keeps python from asking for the session's own name
        first = self.inside(origin, context=context)
        self.assert_ok(self.get_inside(first, origin))
        other = self.tunnel(origin, "second.test")
        other.sock = context.wrap_socket(other.sock, server_hostname="second.test", session=first.sock.session)
        self.assertFalse(other.sock.session_reused)


class Slow(Case):
    """Row M12."""

    def test_M12_a_client_that_stalls_in_its_handshake(self):
        self.start_mitm(handshake_timeout="0.3s")
        for _ in range(3):
            origin = self.tls_origin()
            client = self.tunnel(origin)
            client.send(records(client_hello("origin.test")))  # and nothing more
            client.end()
            client.close()
            line = self.egret.one_line(kind="tunnel", target=self.authority_of(origin))
            self.assertEqual((line["detail"], line["side"]), ("tls_handshake_timeout", "client"))
        self.assertEqual(self.shaken(result="timeout"), 3)

    def test_M12_an_origin_that_stalls_in_its_handshake(self):
        self.start_mitm(handshake_timeout="0.3s")
        origin = self.origin(lambda connection: connection.wait_end())
        with self.assertRaises((ssl.SSLError, OSError)):
            self.inside(origin)
        line = self.egret.one_line(kind="tunnel", target=self.authority_of(origin))
        self.assertEqual((line["detail"], line["side"]), ("tls_handshake_timeout", "upstream"))

    def test_M12_renegotiation_is_refused(self):
        self.start_mitm()
        origin = self.tls_origin(alpn=("http/1.1",))
        self.assertIn("no renegotiation", self.s_client(origin, "-tls1_2", request=False))

    def test_M12_a_flood_of_half_handshakes_does_not_stop_others(self):
        self.start_mitm(origin="LAZY")
        origin = self.tls_origin(alpn=("http/1.1",))
        half = []
        for _ in range(200):
            client = self.tunnel(origin)
            client.send(records(client_hello("origin.test")))
            half.append(client)
        self.assert_ok(self.get_inside(self.inside(origin), origin))
        for client in half:
            client.reset()
        until(lambda: self.egret.metric("egret_tunnels_active") <= 1, "them all to be gone")


class Revoked(Case):
    """Row M16: lists, which are hard, and OCSP responses that origins staple, which are as hard as the certificate or the
    configuration says."""

    def test_M16_a_revoked_origin_is_refused(self):
        pair = self.authority.issue("gone", "DNS:origin.test")
        trust = {"roots": {"file": self.authority.ca}, "crl": {"file": self.authority.revocations(pair[0])}}
        for how in ("CLOSE", "ERROR_PAGE"):
            with self.subTest(how):
                self.start_mitm(secrets=[{"name": "listed", "trust": trust}], tls={"trust": "listed"},
                                on_origin_failure=how)
                origin = self.tls_origin(pair=pair, alpn=("http/1.1",))
                if how == "CLOSE":
                    with self.assertRaisesRegex(ssl.SSLError, "REVOKED"):
                        self.inside(origin)
                else:
                    client = self.inside(origin)
                    response = self.get_inside(client, origin)
                    client.close()
                    self.assertEqual(response.status, 502)
                    self.assertIn("revoked", response.text())
                self.assertIn("revoked", self.egret.log_lines(1, kind="tunnel")[0]["tls_detail"])
                good = self.tls_origin(alpn=("http/1.1",))
                self.assert_ok(self.get_inside(self.inside(good), good))
                self.assertEqual(origin.requests, [])

    def stapling_origin(self, pair, staple):
        """openssl's server, since python's cannot staple. Answers with a page about itself. Gives what has its port."""
        need("openssl")
        words = ["-status_file", staple] if staple else []
        server = subprocess.Popen(["openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", pair[0], "-key", pair[1],
                                   "-alpn", "http/1.1", "-www", *words], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.addCleanup(server.stdout.close)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        for line in server.stdout:
            if line.startswith(b"ACCEPT "):
                return SimpleNamespace(port=int(line.rpartition(b":")[2]))
        self.fail("openssl s_server does not start")

    def test_M16_what_an_origin_staples(self):
        plain = self.authority.issue("plain", "DNS:origin.test")
        gone = self.authority.issue("stapled-gone", "DNS:origin.test")
        demanding = self.authority.issue("demanding", "DNS:origin.test", must_staple=True)
        self.authority.revocations(gone[0])
        says = {pair: self.authority.ocsp_answer(pair[0]) for pair in (plain, gone, demanding)}
        good, revoked, none, other = "", "says that it is revoked", "no OCSP response", "for another certificate"
        for mode, cases in (("STAPLE_IF_GIVEN", ((plain, plain, good), (plain, None, good), (plain, gone, good),
                                                 (gone, gone, revoked), (demanding, demanding, good),
                                                 (demanding, None, none), (demanding, plain, other))),
                            ("REQUIRE_STAPLE", ((plain, plain, good), (plain, None, none), (plain, gone, other)))):
            self.start_mitm(tls={"trust": "origins", "ocsp": mode})
            for pair, staple, why in cases:
                with self.subTest(mode=mode, pair=pair[0], staple=staple):
                    origin = self.stapling_origin(pair, says.get(staple))
                    if why == good:
                        client = self.inside(origin)
                        self.assertEqual(self.get_inside(client, origin).status, 200)
                        client.close()
                        continue
                    alert = "REVOKED" if why == revoked else "BAD_CERTIFICATE"
                    with self.assertRaisesRegex(ssl.SSLError, alert):
                        self.inside(origin)
                    line = self.egret.one_line(kind="tunnel", target=self.authority_of(origin))
                    self.assertEqual(line["detail"], "tls_certificate_error")
                    self.assertIn(why, line["tls_detail"])
                    self.assertIn("OCSP", line["tls_detail"])
            counted = [self.egret.metric("egret_ocsp_staples_total", result=result)
                       for result in ("good", "none", "unusable", "revoked")]
            self.assertEqual(counted, [2, 2, 2, 1] if mode == "STAPLE_IF_GIVEN" else [1, 1, 1, 0])


if __name__ == "__main__":
    unittest.main()
