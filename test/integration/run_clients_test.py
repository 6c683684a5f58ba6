"""Real clients behind the fence of egret run, unmodified and told nothing: each reaches what the policy allows, relayed
and looked into; goes past the proxy and is judged all the same; and is refused what the policy does not allow."""
import os
import shutil
import subprocess
import unittest
from concurrent import futures

import run_tools
from harness import SANITIZED
from run_case import setUpModule
from run_world import PROXY_VARIABLES, ROOTS, SERVICE, SITE, WorldCase, need

try:
    import grpc
except ImportError:
    grpc = None

PAST = "unset %s\n" % PROXY_VARIABLES


class Client(WorldCase):
    def assert_judged(self, script, hosts, port=443, inspected=True, past=PAST, **env):
        """That a script, which says `installed` where it worked, reaches just these hosts, the first one first, by just
        these policies. past: what makes it look at no proxy."""
        scheme = "" if port == 443 else ":%d" % port
        allowed = [word for host in hosts for word in ("--allow", host + scheme)]
        to = {"domains": list(hosts), "ports": [port]}
        with self.subTest("relayed"):
            self.assert_reaches(self.run_in_world(allowed, script, **env), hosts)
        with self.subTest("past the proxy"):
            self.assert_reaches(self.run_in_world(allowed, past + script, **env), hosts)
        if inspected:
            reads = {"name": "reads", "action": "ALLOW", "to": to, "http": {"methods": ["GET", "HEAD", "POST"]}}
            with self.subTest("looked into"):
                done = self.run_in_world(["--policy", self.policy(reads)], script, **env)
                self.assert_reaches(done, hosts)
                for one in done.record["predicate"]["egress"]:
                    self.assertTrue(one["requests"], done)
        closed = {"name": "closed", "action": "DENY", "to": to}
        for how, before in (("refused", ""), ("refused past the proxy", past)):
            with self.subTest(how):
                done = self.run_in_world(["--policy", self.policy(closed)], before + script, **env)
                self.assert_refused(done, "%s:%d" % (hosts[0], port))
        self.assertNotIn("denied.test", [name for name, *_ in self.dns.queries])

    def assert_reaches(self, done, hosts):
        self.assertEqual(done.status, 0, done)
        self.assertIn("installed", done.out, done)
        self.assertEqual({one["target"].partition(":")[0] for one in done.report["destinations"]
                          if one["outcome"] == "reached"}, set(hosts), done)

    def assert_refused(self, done, target):
        self.assertNotEqual(done.status, 0, done)
        self.assertNotIn("installed", done.out, done)
        self.assertEqual({(one["outcome"], one.get("rule")) for one in done.report["destinations"]
                          if one["target"] == target}, {("refused", "closed")}, done)
        self.assertIn("refused  " + target, done.err)
        self.assertEqual(done.report["reached"], 0, done)


class Downloads(Client):
    def test_curl(self):
        need("curl")
        self.open_world()
        self.assert_judged("curl -sSf https://%s/word" % SITE, [SITE])
        self.assert_judged("curl -sSf http://%s/word" % SITE, [SITE], port=80)

    def test_wget(self):
        need("wget")
        self.open_world()
        self.assert_judged("wget -qO- --tries=1 https://%s/word" % SITE, [SITE])


class Packages(Client):
    def judge(self, tool):
        tool.prepare(self.folder)
        self.open_world(**tool.files)
        self.assert_judged(tool.script, tool.hosts, port=tool.port, **tool.env)

    def test_pip(self):
        self.judge(run_tools.pip())

    def test_npm(self):
        self.judge(run_tools.npm())

    def test_cargo(self):
        self.judge(run_tools.cargo())

    def test_go(self):
        self.judge(run_tools.go())

    def test_apt(self):
        self.judge(run_tools.apt())

    def test_git(self):
        self.judge(run_tools.git())


JAVA = """
import java.net.*;
import java.net.http.*;

public class Client {
  public static void main(String[] words) throws Exception {
    HttpResponse<String> response = HttpClient.newHttpClient().send(
        HttpRequest.newBuilder(URI.create(words[0])).build(), HttpResponse.BodyHandlers.ofString());
    byte[] again = new URL(words[0]).openStream().readAllBytes();
    if (response.body().equals(new String(again))) System.out.print(response.body());
  }
}
"""
NODE = """
require('https').get(process.argv[1], first => first.resume().on('end', () =>
  fetch(process.argv[1]).then(second => second.text()).then(text => process.stdout.write(text))));
"""
GRPC = """
import grpc
channel = grpc.secure_channel('service.test:443', grpc.ssl_channel_credentials())
print(channel.unary_unary('/test.Service/Word')(b'', timeout=20).decode())
"""


class Programs(Client):
    """What people write themselves, with the clients that their languages bring along."""

    def write(self, name, text):
        with open(os.path.join(self.folder, name), "w") as f:
            f.write(text)

    def test_java(self):
        need("java")
        self.open_world()
        self.write("Client.java", JAVA)
        store = os.path.join(self.folder, "own.p12")
        subprocess.run([need("keytool"), "-importcert", "-noprompt", "-alias", "ca", "-file", self.certificates.ca,
                        "-keystore", store, "-storepass", "changeit"], check=True, stderr=subprocess.DEVNULL)
        own = "-XX:TieredStopAtLevel=1 -Djavax.net.ssl.trustStorePassword=changeit -Djavax.net.ssl.trustStore=" + store
        self.assert_judged("java ../Client.java https://%s/word" % SITE, [SITE], JAVA_TOOL_OPTIONS=own,
                           past=PAST + "export JAVA_TOOL_OPTIONS='%s'\n" % own)

    def test_node(self):
        need("node")
        self.open_world()
        self.write("client.js", NODE)
        self.assert_judged("node -e \"$(cat ../client.js)\" https://%s/word" % SITE, [SITE], NODE_EXTRA_CA_CERTS=ROOTS)

    def test_python(self):
        self.open_world()
        script = "import urllib.request as r; print(r.urlopen('https://%s/word').read().decode())" % SITE
        self.assert_judged("/usr/bin/python3 -c \"%s\"" % script, [SITE])

    @unittest.skipIf(grpc is None, "python3-grpcio is not installed")
    def test_grpc(self):
        self.open_world()
        self.write("client.py", GRPC)
        server = grpc.server(futures.ThreadPoolExecutor(2))
        word = grpc.unary_unary_rpc_method_handler(lambda request, context: b"installed")
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Service", {"Word": word}),))
        pair = [tuple(open(path, "rb").read() for path in (self.certificates.key, self.certificates.certificate))]
        self.assertTrue(server.add_secure_port(SERVICE + ":443", grpc.ssl_server_credentials(pair)))
        server.start()
        self.addCleanup(lambda: server.stop(None).wait(20))
        self.assert_judged("/usr/bin/python3 ../client.py", ["service.test"], GRPC_DEFAULT_SSL_ROOTS_FILE_PATH=ROOTS)

    @unittest.skipIf(SANITIZED, "what a browser does is tested without sanitizers")
    def test_chromium(self):
        """Its roots are in a database of its own, which Egret leaves alone: so it is relayed only."""
        browser = shutil.which("chromium-headless-shell") or need("chromium")
        need("certutil")
        self.open_world()
        script = ("mkdir -p .pki/nssdb && certutil -d sql:.pki/nssdb -N --empty-password\n"
                  "certutil -d sql:.pki/nssdb -A -n ca -t C,, -i %s\n"
                  "%s --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run "
                  "--disable-background-networking --disable-component-update --user-data-dir=$PWD/profile "
                  "--dump-dom https://%s/ | grep installed" % (ROOTS, browser, SITE))
        self.assert_judged(script, [SITE], inspected=False)


if __name__ == "__main__":
    unittest.main()
