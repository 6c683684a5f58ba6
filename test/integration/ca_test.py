"""The proxy's certificate authority: from egretctl to what clients get of it. Rows of the catalogue are named."""
import hashlib
import json
import os
import shutil
import signal
import ssl
import subprocess
import tempfile

from harness import ProxyCase, allow, proxy_config
from mitm_user import ctl
from waiting import until

CA = "/.well-known/egret/ca.pem"
BUNDLE = "/.well-known/egret/bundle.pem"


def read(path):
    with open(path) as f:
        return f.read()


def fingerprint(pem):
    """Of the first certificate."""
    first = pem[:pem.index("-----END CERTIFICATE-----")] + "-----END CERTIFICATE-----\n"
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(first)).hexdigest()


class CertificateAuthority(ProxyCase):
    def setUp(self):
        super().setUp()
        self.folder = tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.root, self.live = self.path("root"), self.path("live")
        ctl("ca", "init", self.root)
        ctl("ca", "intermediate", self.live, "--root", self.root)
        self.certificate, self.key = os.path.join(self.live, "tls.crt"), os.path.join(self.live, "tls.key")

    def path(self, name):
        return os.path.join(self.folder, name)

    def start_ca(self, **more):
        config = proxy_config([allow()])
        config["secrets"] = [{"name": "ca", "certificate_authority": {
            "certificate": {"file": self.certificate}, "key": {"file": self.key}, **more}}]
        return self.start_config(config)

    def page(self, path, method="GET", *fields):
        request = ["%s %s HTTP/1.1" % (method, path), "Host: %s:%d" % self.egret.address, *fields, "", ""]
        return self.client().ask("\r\n".join(request).encode(), method)

    def test_clients_get_what_they_have_to_believe(self):
        self.start_ca()
        response = self.page(CA)
        self.assertEqual((response.status, response.header("content-type")), (200, "application/x-pem-file"))
        self.assertEqual(response.text(), read(os.path.join(self.root, "ca.crt")))
        bundle = self.page(BUNDLE)
        self.assertTrue(bundle.text().endswith(response.text()))
        self.assertGreater(bundle.text().count("BEGIN CERTIFICATE"), 1, "the system's roots too")
        ssl.create_default_context(cadata=bundle.text())
        self.assertEqual(self.page(CA, "HEAD").body, b"")
        self.assertEqual(self.page(CA, "POST", "Content-Length: 0").header("allow"), "GET, HEAD")
        self.assertEqual(self.page("/").status, 400, "the proxy serves nothing else")

    def test_without_a_ca_there_is_none_to_get(self):
        self.start()
        self.assertEqual([self.page(CA).status, self.page(BUNDLE).status], [404, 404])

    def test_its_fingerprint_and_its_end_are_told(self):
        self.start_ca()
        sha256 = fingerprint(read(self.certificate))
        self.assertIn("certificate authority ca: SHA-256 " + sha256, self.egret.stderr())
        [told] = json.loads(self.egret.get("/certs")[1])["certificates"]
        self.assertEqual((told["name"], told["ca_sha256"]), ("ca", sha256))
        self.assertIn(told["days_until_expiration"], (29, 30))  # made within this second, or the one before
        self.assertEqual(self.egret.metric("egret_certificate_not_after_seconds", secret="ca"), told["not_after_unix"])

    def test_M13_another_takes_its_place_while_it_runs(self):
        other = self.path("other")
        ctl("ca", "init", other)
        self.start_ca(also_trust={"file": os.path.join(other, "ca.crt")})
        both = read(os.path.join(self.root, "ca.crt")) + read(os.path.join(other, "ca.crt"))
        self.assertEqual(self.page(CA).text(), both, "both while rotating")
        ctl("ca", "intermediate", self.path("next"), "--root", other)
        for name in ("tls.key", "tls.crt"):
            os.replace(os.path.join(self.path("next"), name), os.path.join(self.live, name))
        self.egret.signal(signal.SIGHUP)
        sha256 = fingerprint(read(self.certificate))
        until(lambda: sha256 in self.egret.get("/certs")[1], "the new CA in force")
        self.assertIn("certificate authority ca: SHA-256 " + sha256, self.egret.stderr())
        self.assertTrue(self.page(CA).text().startswith(read(os.path.join(other, "ca.crt"))))

    def test_M14_what_does_not_fit_is_refused_and_the_old_one_stays(self):
        self.start_ca()
        before = self.egret.get("/certs")[1]
        ctl("ca", "intermediate", self.path("next"), "--root", self.root)
        os.replace(os.path.join(self.path("next"), "tls.key"), self.key)
        self.egret.signal(signal.SIGHUP)
        until(lambda: "secrets.ca.certificate_authority.key: it is not the key of this certificate" in
              self.egret.stderr(), "the complaint")
        self.assertEqual(json.loads(self.egret.get("/certs")[1])["certificates"][0]["ca_sha256"],
                         json.loads(before)["certificates"][0]["ca_sha256"])

    def test_M14_a_ca_that_cannot_be_used_keeps_the_proxy_from_starting(self):
        for spoil, why in ((lambda: os.remove(self.key), "secrets[0].certificate_authority.key: file "),
                           (lambda: open(self.key, "w").close(),
                            "secrets[0].certificate_authority.key: no private key in it"),
                           (lambda: open(self.certificate, "w").close(),
                            "secrets[0].certificate_authority.certificate: no certificate in it")):
            spoil()
            config = self.path("config.json")
            body = proxy_config([allow()])
            body["secrets"] = [{"name": "ca", "certificate_authority": {
                "certificate": {"file": self.certificate}, "key": {"file": self.key}}}]
            with open(config, "w") as f:
                json.dump(body, f)
            run = subprocess.run([os.environ["EGRET"], "--config", config], stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, text=True, timeout=60)
            self.assertEqual(run.returncode, 1)
            self.assertIn(why, run.stdout)

    def test_M14_S04_a_key_that_everybody_can_read_is_told_of(self):
        os.chmod(self.key, 0o644)
        self.start_ca()
        self.assertIn("everybody on this machine can read " + self.key, self.egret.stderr())

    def test_S01_the_key_is_nowhere_to_be_seen(self):
        self.start_ca()
        lines = [line for line in read(self.key).splitlines() if not line.startswith("-----")]
        seen = self.egret.stderr() + self.page(CA).text() + self.page(BUNDLE).text()
        for path in ("/config_dump", "/certs", "/stats", "/server_info"):
            seen += self.egret.get(path)[1]
        for line in lines:
            self.assertNotIn(line, seen)
