"""Row M03: what openssl and python3-cryptography say of the chain that clients are shown."""
import datetime
import ipaddress
import re
import subprocess
import unittest

try:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec
except ImportError:
    x509 = None

from client_case import need
from harness import HOSTS
from mitm_user import RealClients
from waiting import SECONDS

LONG = "a" * 60 + ".test"  # more than a common name may hold
PEM = re.compile("-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", re.S)


class Leaf(RealClients):
    def setUp(self):
        need("openssl")
        self.start_user(hosts={**HOSTS, LONG: ["127.0.0.1"]})

    def run_tool(self, *words):
        run = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             timeout=SECONDS * 2)
        out = run.stdout.decode(errors="replace")
        self.assertEqual(run.returncode, 0, out)
        return out

    def shown(self, name="origin.test", origin=None, pair=None):
        """The chain, leaf first, which openssl accepted for this name by its strictest rules."""
        origin = origin or self.tls_origin(pair=pair)
        target = self.authority_of(origin, name)
        out = self.run_tool("openssl", "s_client", "-proxy", "%s:%d" % self.egret.address, "-connect", target,
                            "-servername", name, "-verify_hostname", name, "-showcerts",
                            "-CAfile", self.ours.root, "-x509_strict", "-purpose", "sslserver", "-verify_return_error")
        self.assertIn("Verification: OK", out)
        return PEM.findall(out)

    def named(self, *names):
        return self.authority.issue("x", *("DNS:" + name for name in names))

    def test_M03_chains_are_strictly_right(self):
        names = ("origin.test", LONG)
        for chain in (self.shown(), self.shown(LONG, pair=self.named(*names)),
                      self.shown(pair=self.authority.issue("no names besides", "DNS:origin.test", "IP:192.0.2.1"))):
            self.assertEqual(len(chain), 2)  # the leaf and the intermediate; who trusts the root has it

    @unittest.skipIf(x509 is None, "python3-cryptography is not installed")
    def test_M03_nothing_in_a_leaf_is_out_of_place(self):
        chain = [x509.load_pem_x509_certificate(pem.encode()) for pem in self.shown()]
        leaf, issuer = chain
        self.assertEqual((leaf.version, leaf.signature_hash_algorithm.name), (x509.Version.v3, "sha256"))
        self.assertIsInstance(leaf.public_key().curve, ec.SECP256R1)
        self.assertEqual(leaf.issuer, issuer.subject)
        extensions = {extension.value.oid._name: extension for extension in leaf.extensions}
        self.assertEqual(set(extensions), {"subjectAltName", "basicConstraints", "keyUsage", "extendedKeyUsage",
                                           "subjectKeyIdentifier", "authorityKeyIdentifier"})
        usage = extensions["keyUsage"].value
        self.assertEqual((usage.digital_signature, usage.key_cert_sign, usage.crl_sign, usage.key_encipherment),
                         (True, False, False, False))
        self.assertFalse(extensions["basicConstraints"].value.ca)
        self.assertEqual([use._name for use in extensions["extendedKeyUsage"].value], ["serverAuth"])
        own = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
        self.assertEqual(extensions["authorityKeyIdentifier"].value.key_identifier, own)
        self.assertLessEqual(leaf.not_valid_after - leaf.not_valid_before, datetime.timedelta(days=90))
        self.assertLessEqual(leaf.not_valid_before, datetime.datetime.utcnow())
        self.assertLessEqual(leaf.not_valid_after, issuer.not_valid_after)
        self.assertGreaterEqual(leaf.not_valid_before, issuer.not_valid_before)

    @unittest.skipIf(x509 is None, "python3-cryptography is not installed")
    def test_M03_names_are_alternative_ones_only(self):
        for name, pair in (("origin.test", self.pair), (LONG, self.named("origin.test", LONG))):
            leaf = x509.load_pem_x509_certificate(self.shown(name, pair=pair)[0].encode())
            common = leaf.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
            self.assertLessEqual(max((len(one.value) for one in common), default=0), 64)
            names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName)
            self.assertIn(name, names.value.get_values_for_type(x509.DNSName))
            if not list(leaf.subject):
                self.assertTrue(names.critical)  # RFC 5280 4.1.2.6
        leaf = x509.load_pem_x509_certificate(
            self.shown(pair=self.authority.issue("x", "DNS:origin.test", "IP:192.0.2.1"))[0].encode())
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        self.assertIn(names.get_values_for_type(x509.IPAddress), ([], [ipaddress.ip_address("192.0.2.1")]))

    @unittest.skipIf(x509 is None, "python3-cryptography is not installed")
    def test_M03_serials_are_random(self):
        serials = set()
        for n in range(8):
            chain = self.shown(pair=self.named("origin.test", "n%d.test" % n))
            serial = x509.load_pem_x509_certificate(chain[0].encode()).serial_number
            self.assertGreater(serial, 0)
            self.assertGreater(serial.bit_length(), 100)  # of 128 or more; one in 2^28 is as short by chance
            self.assertLessEqual(serial.bit_length(), 159)  # 20 octets (RFC 5280 4.1.2.2)
            serials.add(serial)
        self.assertEqual(len(serials), 8)


if __name__ == "__main__":
    unittest.main()
