"""What the tests of real clients share: an nginx, the proxy before it, and the environment of a user."""
import os
import shutil
import subprocess
import unittest

from harness import ProxyCase
from nginx import Nginx

TEXT = b"hello from the origin\n"


def proxy_env(url, ca=None, **more):
    """A user's environment: the proxy in either case, and the roots to trust in each client's own variable."""
    env = {"PATH": os.environ["PATH"], "HOME": os.environ["TEST_TMPDIR"], "LANG": "C.UTF-8"}
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        env[name] = url
    if ca:
        for name in ("SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "GIT_SSL_CAINFO", "PIP_CERT",
                     "NODE_EXTRA_CA_CERTS"):
            env[name] = ca
    for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
        if name in os.environ:
            env[name] = os.environ[name]
    return {**env, **more}


def need(program):
    path = shutil.which(program)
    if not path:
        raise unittest.SkipTest(program + " is not installed")
    return path


class Clients(ProxyCase):
    @classmethod
    def setUpClass(cls):
        cls.nginx = Nginx()
        cls.addClassCleanup(cls.nginx.close)
        cls.nginx.put("hello.txt", TEXT)
        cls.big = os.urandom(3000000)
        cls.nginx.put("big.bin", cls.big)
        cls.ca = cls.nginx.certificates.ca

    def setUp(self):
        self.start()
        self.folder = self.egret.path("client")
        os.mkdir(self.folder)
        self.http = "http://origin.test:%d" % self.nginx.port
        self.https = "https://origin.test:%d" % self.nginx.tls_port

    def run_client(self, *words, status=0, env=None, **more):
        """The standard output of a client that ends with this exit status."""
        run = subprocess.run(words, env=env or proxy_env(self.egret.url, self.ca), cwd=self.folder,
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=240,
                             **more)
        told = run.stdout.decode(errors="replace")[-2000:] + run.stderr.decode(errors="replace")[-4000:]
        self.assertEqual(run.returncode, status, "%s\n%s" % (" ".join(words), told))
        self.errors = run.stderr.decode(errors="replace")
        return run.stdout

    def assert_logged(self, target_port, name="origin.test", count=1, **fields):
        lines = self.egret.log_lines(count, target="%s:%d" % (name, target_port), **fields)
        self.assertEqual({line["decision"] for line in lines}, {"allow"})
        return lines
