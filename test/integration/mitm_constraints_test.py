"""A CA that may speak for some names only (`egretctl ca intermediate --permit`): for what is permitted real clients
believe its leaves, for anything else the proxy mints none, and were its key stolen, nobody would believe the thief."""
import os
import sys
import unittest

from authority import NEW_KEY
from certificates import openssl
from client_case import need
from harness import HOSTS, allow
from mitm_case import INSPECTED
from mitm_user import RealClients

JAVA = """
import java.net.*;
public class Get {
  public static void main(String[] words) throws Exception {
    System.out.println(((HttpURLConnection) new URL(words[0]).openConnection()).getResponseCode());
  }
}
"""
NODE = """
const http = require('http'), https = require('https'), tls = require('tls');
const [proxy, url] = process.argv.slice(1), {hostname: host, port} = new URL(proxy), at = new URL(url);
http.request({host, port, method: 'CONNECT', path: at.host, headers: {host: at.host}}).on('connect', (_, socket) => {
  const secure = tls.connect({socket, servername: at.hostname}, () =>
    https.get({createConnection: () => secure, path: '/', headers: {host: at.host}},
      r => process.exit(r.statusCode == 200 ? 0 : 1)));
}).end();
"""


class NameConstraints(RealClients):
    """Row M03, where a CA has bounds."""
    permit = ("origin.test",)  # and what is below it

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.pair = cls.authority.issue("origin", "DNS:origin.test", "DNS:second.test")
        cls.stolen = {name: cls.sign(name) for name in ("www.origin.test", "stolen.test")}

    @classmethod
    def sign(cls, name):
        """With the proxy's key, by somebody who cares for no constraint: (chain, key)."""
        stem = os.path.join(cls.folder, name)
        with open(stem + ".ext", "w") as f:
            f.write("subjectAltName = DNS:%s\nextendedKeyUsage = serverAuth\n" % name)
        openssl(cls.folder, "req", "-new", *NEW_KEY, "-keyout", stem + ".key", "-out", stem + ".csr", "-subj",
                "/CN=" + name)
        openssl(cls.folder, "x509", "-req", "-days", "7", "-in", stem + ".csr", "-CA", cls.ours.ca, "-CAkey",
                cls.ours.key, "-CAcreateserial", "-extfile", stem + ".ext", "-out", stem + ".pem")
        with open(stem + ".pem") as leaf, open(cls.ours.ca) as chain, open(stem + ".chain", "w") as out:
            out.write(leaf.read() + chain.read())
        return stem + ".chain", stem + ".key"

    def setUp(self):
        names = {name: ["127.0.0.1"] for name in self.stolen}
        self.start_user(allow("thief", domains=list(self.stolen), inspection="NEVER"), INSPECTED,
                        hosts={**HOSTS, **names})

    def origin_of(self, pair):
        return self.tls_origin(pair=pair, alpn=("http/1.1",))

    def check(self, get):
        """get(url, believed): has a client read it, or fail with it."""
        origin = self.origin_of(self.pair)
        for name, believed in (("origin.test", True), ("second.test", False)):
            get("https://%s:%d/" % (name, origin.port), believed)
        for line in self.egret.log_lines(1, kind="tunnel", target=self.authority_of(origin, "second.test")):
            self.assertEqual((line["detail"], line["side"]), ("no_leaf", "egret"))
            self.assertIn("second.test is outside of the CA's name constraints", line["tls_detail"])
        self.assertEqual({r.header("host") for r in origin.requests}, {self.authority_of(origin)})
        for name, believed in (("www.origin.test", True), ("stolen.test", False)):
            thief = self.origin_of(self.stolen[name])
            get("https://%s:%d/" % (name, thief.port), believed)
            self.assertEqual(bool(thief.requests), believed)

    def get_with(self, client, *words, **env):
        return lambda url, believed: self.run_as(client, *words, url, status=0 if believed else None, **env)

    def test_curl(self):
        self.check(self.get_with("curl", need("curl"), "-sS", "-f"))

    def test_wget(self):
        trust = "--ca-certificate=" + os.path.join(self.home, "bundle.pem")
        self.check(self.get_with("curl", need("wget"), "-q", "-t", "1", "-O", "-", trust))

    def test_python(self):
        self.check(self.get_with("python", sys.executable, "-c",
                                 "import sys, urllib.request as u; u.urlopen(sys.argv[1])"))

    def test_node(self):
        self.check(self.get_with("node", need("node"), "-e", NODE, "--", self.egret.url))

    def test_java(self):
        java = os.path.realpath(need("java"))
        need("keytool")
        self.write("Get.java", JAVA)
        self.check(self.get_with("java", java, "-Xmx256m", "-XX:TieredStopAtLevel=1", "Get.java",
                                 JAVA_HOME=os.path.dirname(os.path.dirname(java))))

    def test_git(self):
        self.check(self.get_with("git", need("git"), "ls-remote", GIT_CONFIG_NOSYSTEM="1", GIT_TERMINAL_PROMPT="0"))

    def test_go(self):
        """There is no module, of which go hears only from whom it believes."""
        def get(url, believed):
            self.run_as("go", need("go"), "mod", "download", "example.test/demo@v1.0.0", status=None, GOPROXY=url,
                        GOSUMDB="off", GOTOOLCHAIN="local", GOTELEMETRY="off")
            (self.assertIn if believed else self.assertNotIn)("invalid", self.errors)
        self.check(get)


if __name__ == "__main__":
    unittest.main()
