"""Row M01: whatever is wrong with an origin's certificate, no client is shown a trusted one that hides it."""
import os
import ssl

from bad_certificates import BadCertificates
from mitm_case import MitmCase
from origins import OK, reply
from tls_origin import TlsOrigin

# What a client is told where the connection is closed (RFC 8446 6.2), by what is wrong.
ALERTS = {"expired": "CERTIFICATE_EXPIRED", "purpose": "UNSUPPORTED_CERTIFICATE", "issuer certificate": "UNKNOWN_CA",
          "self-signed": "UNKNOWN_CA", "invalid CA": "UNKNOWN_CA", "path length": "UNKNOWN_CA"}


def lax_context(pair):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.load_cert_chain(*pair)
    return context


class BadOrigins(MitmCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.bad = BadCertificates(os.path.join(cls.folder, "bad"))
        cls.good, cls.kinds = cls.bad.good(), cls.bad.kinds()

    def each(self, **terminator):
        """Each kind, before one proxy: (origin, what is wrong)."""
        self.start_mitm(origins_ca=self.bad.ca, **terminator)
        good = self.lax_origin(self.good)  # else everything might be refused for another reason
        self.assert_ok(self.get_inside(self.inside(good), good))
        self.assertGreaterEqual(len(self.kinds), 30)
        for kind, (pair, why) in self.kinds.items():
            with self.subTest(kind):
                origin = self.lax_origin(pair)
                yield origin, why
                self.assertEqual((origin.handshakes, origin.requests), ([], []))

    def lax_origin(self, pair):
        origin = TlsOrigin(lax_context(pair), reply(OK))
        self.addCleanup(origin.close)
        return origin

    def line_of(self, origin, kind, why):
        line = self.egret.one_line(kind=kind, target=self.authority_of(origin))
        self.assertIn(why, line["tls_detail"])
        detail = "tls_name_mismatch" if why == "hostname mismatch" else "tls_certificate_error"
        self.assertEqual((line["detail"], line["side"]), (detail, "upstream"))
        return line

    def test_a_close_says_the_same(self):
        for origin, why in self.each(on_origin_failure="CLOSE"):
            with self.assertRaises(ssl.SSLError) as told:
                self.inside(origin)
            self.assertNotIsInstance(told.exception, ssl.SSLCertVerificationError)
            alert = next((alert for what, alert in ALERTS.items() if what in why), "BAD_CERTIFICATE")
            self.assertIn(alert, told.exception.reason)
            self.assertNotIn("inspected", self.line_of(origin, "tunnel", why))

    def test_a_leaf_that_is_not_believed_either(self):
        for origin, why in self.each(on_origin_failure="UNTRUSTED_LEAF"):
            with self.assertRaises(ssl.SSLCertVerificationError):
                self.inside(origin)
            self.line_of(origin, "tunnel", why)
        self.assertEqual(self.egret.metric("egret_leaf_refusals_total"), 0)  # it was to be refused

    def test_whoever_goes_on_anyway_gets_the_page(self):
        careless = ssl.create_default_context()
        careless.check_hostname, careless.verify_mode = False, ssl.CERT_NONE
        for origin, why in self.each(on_origin_failure="UNTRUSTED_LEAF"):
            client = self.inside(origin, context=careless)
            self.assert_page(self.get_inside(client, origin), why)

    def assert_page(self, response, why):
        self.assertEqual(response.status, 502, response)
        self.assertIn("error=tls_certificate_error", response.header("proxy-status"))
        self.assertIn(why, response.text())

    def test_a_page_inside(self):
        for origin, why in self.each(on_origin_failure="ERROR_PAGE"):
            client = self.inside(origin)
            for _ in range(2):
                self.assert_page(self.get_inside(client, origin), why)
            client.close()
            self.assertEqual(self.line_of(origin, "tunnel", why)["inspected"], "refused")
            self.assertEqual(len(self.egret.log_lines(2, kind="request", target=self.authority_of(origin))), 2)

    def test_lazily_it_is_a_page_too(self):
        for origin, why in self.each(origin="LAZY"):
            self.assert_page(self.get_inside(self.inside(origin), origin), why)
            self.line_of(origin, "request", why)
