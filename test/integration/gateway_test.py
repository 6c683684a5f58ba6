"""The gateway of the tour (test/config/testdata/gateway.yaml) is loaded and driven: its listener, its policies and its
tunnels, on the addresses and ports that it names. What is not built yet is taken out of it, and the paths are ours."""
import os
import subprocess
import tempfile
import unittest
from unittest import mock

try:
    import yaml
except ImportError:
    yaml = None

from authority import Authority
from netns import NetnsCase, public
from origins import OK, reply
from tls_origin import H2Server, TlsOrigin, server_context
from waiting import SECONDS

GATEWAY = "test/config/testdata/gateway.yaml"
PACKAGES, API, VENDOR, BAD = "9.1.1.1", "9.1.1.2", "9.1.1.3", "9.1.1.4"
TOKEN = "a-token-of-the-gateway"
HOSTS = {"pypi.org": [PACKAGES], "files.pythonhosted.org": ["10.96.0.5"], "registry.npmjs.org": [BAD],
         "api.github.com": [API], "www.apple.com": [VENDOR], "registry.corp.example": ["10.20.0.1"],
         "pastebin.com": [PACKAGES], "example.com": [PACKAGES], "proxy.corp.example": [PACKAGES]}


def without_what_is_not_built(config):
    """Tokens and the control plane; and passwords, since the test knows none."""
    del config["xds"]
    http = config["listeners"][0]["filters"][1]["http_connection"]["filters"]
    auth = http[0]["proxy_auth"]
    auth.update(methods=[one for one in auth["methods"] if "client_certificate" in one], optional=True)
    config["secrets"] = [one for one in config["secrets"] if not {"htpasswd", "jwks"} & one.keys()
                         and not one["name"].startswith("xds")]
    for policy in config["policies"]:
        for rule in policy["rules"]:
            if "groups" in rule.get("from", {}):  # of which nobody can be yet
                del rule["from"]


@unittest.skipIf(yaml is None, "python3-yaml is not installed")
class Gateway(NetnsCase):
    def setUp(self):
        public(PACKAGES, API, VENDOR, BAD, "10.20.0.1", "10.96.0.5")
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.ours, self.world, self.corp, self.people = (
            Authority(os.path.join(self.folder, name), name) for name in ("ours", "world", "corp", "people"))
        with open(GATEWAY) as f:
            config = yaml.safe_load(f)
        without_what_is_not_built(config)
        self.place(config)
        with mock.patch.dict(os.environ, SSL_CERT_FILE=self.world.ca):  # the public roots
            self.start_config(config, HOSTS)

    def place(self, config):
        """The files that it names, here; the admin and the log where the harness looks for them."""
        config["admin"] = {"address": "127.0.0.1:0"}
        del config["access_log"]
        certificate, key = self.corp.issue("egret.prod", "IP:127.0.0.1")
        files = {"/etc/egret/tls/tls.crt": certificate, "/etc/egret/tls/tls.key": key,
                 "/etc/egret/workloads/ca.crt": self.people.ca, "/etc/egret/ca/tls.crt": self.ours.ca,
                 "/etc/egret/ca/tls.key": self.ours.path("ours.key")}
        for secret in config["secrets"]:
            (kind,) = secret.keys() - {"name"}
            if kind == "credential":
                secret[kind] = {"inline_string": TOKEN}
                continue
            for source in secret[kind].values():
                if isinstance(source, dict):
                    source["file"] = files[source["file"]]

    def site(self, host, names, port=443, authority=None):
        pair = (authority or self.world).issue(names[0], *("DNS:" + name for name in names))
        origin = TlsOrigin(server_context(pair, ("h2", "http/1.1")), reply(OK), h2_script=H2Server(), host=host,
                           port=port)
        self.addCleanup(origin.close)
        return origin

    def curl(self, url, *words, ca=None, status=0, proxy="http://127.0.0.1:3128"):
        """What is said, with the HTTP status behind it."""
        run = subprocess.run(["curl", "-sS", "--max-time", "30", "-x", proxy, "--cacert", ca or self.ours.ca, "-w",
                              "%{http_code}", *words, url], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                             timeout=SECONDS * 3)
        self.assertEqual(run.returncode, status, run.stderr + run.stdout)
        return run.stdout if status == 0 else run.stderr

    def test_packages_are_read_and_only_got(self):
        origin = self.site(PACKAGES, ["pypi.org", "pastebin.com", "example.com"])
        self.assertEqual(self.curl("https://pypi.org/simple/"), "ok200")
        told = self.curl("https://pypi.org/simple/", "-d", "x")
        self.assertTrue(told.endswith("403"), told)
        self.assertEqual([seen[":method"] for seen in origin.h2_script.seen], ["GET"])
        tunnel = self.egret.log_lines(2, kind="tunnel")[0]
        self.assertEqual((tunnel["rule"], tunnel["inspected"], tunnel["decision"]), ("ci-packages", "eager", "inspect"))
        self.assertEqual(self.egret.one_line(kind="request", method="POST")["rule"], "otherwise")
        for name, rule, said in (("pastebin.com", "no-paste-sites", "403"), ("example.com", "otherwise", "403")):
            self.assertIn(said, self.curl("https://%s/" % name, status=56))
            self.assertEqual(self.egret.one_line(target=name + ":443")["rule"], rule)
        self.assertIn("403", self.curl("https://files.pythonhosted.org/x", status=56))
        self.assertEqual(self.egret.one_line(target="files.pythonhosted.org:443")["detail"], "address_prohibited")

    def test_a_bad_origin_shows_as_one_that_is_not_believed(self):
        origin = self.site(BAD, ["registry.npmjs.org"], authority=self.corp)
        self.assertIn("certificate", self.curl("https://registry.npmjs.org/", status=60))
        self.assertTrue(self.curl("https://registry.npmjs.org/", "-k").endswith("502"))
        self.assertEqual((origin.requests, origin.h2_script.seen), ([], []))

    def test_a_workload_with_a_certificate_has_its_part_of_an_api(self):
        origin = self.site(API, ["api.github.com"])
        for identity, path, status in (("spiffe://prod/ns/build/sa/a", "/repos/acme/x", "200"),
                                       ("spiffe://prod/ns/build/sa/a", "/repos/other", "403"),
                                       ("spiffe://prod/ns/shop/sa/b", "/repos/acme/x", None),
                                       (None, "/repos/acme/x", None)):
            with self.subTest((identity, path)):
                words = ["--proxy-cacert", self.corp.ca, "-H", "Authorization: Bearer egret:github"]
                if identity:
                    certificate, key = self.people.issue("workload", "URI:" + identity)
                    words += ["--proxy-cert", certificate, "--proxy-key", key]
                told = self.curl("https://api.github.com" + path, *words, proxy="https://127.0.0.1:3128",
                                 status=0 if status else 56)
                if status:
                    self.assertTrue(told.endswith(status), told)
        self.assertEqual([seen["authorization"] for seen in origin.h2_script.seen], ["Bearer " + TOKEN])

    def test_pinned_vendors_are_relayed_and_registries_within_are_reached(self):
        origin = self.site(VENDOR, ["www.apple.com"])
        self.assertEqual(self.curl("https://www.apple.com/", ca=self.world.ca), "ok200")
        tunnel = self.egret.one_line(kind="tunnel", target="www.apple.com:443")
        self.assertEqual((tunnel["rule"], tunnel.get("inspected")), ("pinned-vendors", None))
        self.assertEqual(len(origin.handshakes), 1)
        self.site("10.20.0.1", ["registry.corp.example"], port=5000, authority=self.corp)
        self.assertEqual(self.curl("https://registry.corp.example:5000/v2/", ca=self.corp.ca), "ok200")

    def test_requests_in_clear_lose_what_is_internal(self):
        origin = self.origin(host=VENDOR, port=80)
        self.assertEqual(self.curl("http://www.apple.com/", "-H", "X-Internal-Trace: 1", "-H", "X-Other: 2"), "ok200")
        self.assertEqual([origin.requests[0].header(name) for name in ("x-internal-trace", "x-other")], [None, "2"])


if __name__ == "__main__":
    unittest.main()
