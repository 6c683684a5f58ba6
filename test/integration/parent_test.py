"""Parent proxies: whose credentials are shown to whom."""
import base64
import os
import subprocess

from egret import Egret
from harness import HOSTS, ProxyCase, allow, proxy_config
from waiting import SECONDS


class CommandLine(ProxyCase):
    """--parent and --parent-credentials."""

    def with_parent(self, *words):
        self.egret = Egret(proxy_config([allow()]), HOSTS, arguments=words)
        self.addCleanup(self._stop, self.egret)

    def shown_to(self, parent):
        self.client().get("http://origin.test/")
        credential = parent.wait_requests(1)[0].header("proxy-authorization")
        return base64.b64decode(credential.removeprefix("Basic "))

    def refused(self, *words):
        path = os.path.join(os.environ["TEST_TMPDIR"], "egret.yaml")
        with open(path, "w") as f:
            f.write("{listeners: [{name: a, address: '127.0.0.1:0', filters: [{http_connection: {filters: ["
                    "{egress_policy: {policy: w}}, {forward_router: {}}]}}]}], policies: [{name: w}]}")
        run = subprocess.run([os.environ["EGRET"], "--config", path, "--mode", "validate", *words], text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS)
        self.assertEqual(run.returncode, 1, run.stdout)
        self.assertNotIn("canary", run.stdout)
        return run.stdout

    def test_user_and_password_in_the_url_are_percent_encoded(self):
        parent = self.origin()
        self.with_parent("--parent", "http://us%40er:p%3Aa%2fs%25%C3%A9@127.0.0.1:%d/" .replace("%d", str(parent.port)))
        self.assertEqual(self.shown_to(parent), b"us@er:p:a/s%\xc3\xa9")
        self.assertNotIn("us%40er", self.egret.get("/server_info")[1])

    def test_S06_a_file_keeps_them_out_of_the_list_of_processes(self):
        parent = self.origin()
        path = os.path.join(os.environ["TEST_TMPDIR"], "parent-credentials")
        with open(path, "w") as f:
            f.write("user:can%41ary:x\n")
        self.with_parent("--parent", "http://127.0.0.1:%d" % parent.port, "--parent-credentials", path)
        self.assertEqual(self.shown_to(parent), b"user:can%41ary:x")
        for name in ("cmdline", "environ"):
            with open("/proc/%d/%s" % (self.egret.pid, name), "rb") as f:
                self.assertNotIn(b"ary:x", f.read())

    def test_what_is_wrong_is_told_without_the_secret(self):
        for words, said in (
            (("--parent", "http://u:canary%4@p:1"), "not well percent-encoded"),
            (("--parent", "http://u:canary%zz@p:1"), "not well percent-encoded"),
            (("--parent", "http://u:canary%0a@p:1"), "not well percent-encoded"),
            (("--parent", "http://u%3a:canary@p:1"), "colon"),
            (("--parent", "http://u:canary@p"), "--parent: not a proxy's URL"),
            (("--parent", "http://u:canary@p:1", "--parent-credentials", "/x"), "--parent-credentials: --parent has"),
            (("--parent-credentials", "/x"), "--parent-credentials: for which proxy?"),
        ):
            with self.subTest(words):
                self.assertIn(said, self.refused(*words))
