"""What the tests of the listener's own TLS share: certificates, a proxy that shows them, and clients that know them."""
import os
import shutil
import ssl
import subprocess
import tempfile

from authority import Authority
from harness import ProxyCase, allow, proxy_config
from raw_client import RawClient
from waiting import SECONDS

CURL = ["curl", "-sS", "--max-time", "30"]


def pair(name, paths):
    return {"name": name, "certificate": {"certificate": {"file": paths[0]}, "key": {"file": paths[1]}}}


class TlsProxy(ProxyCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, True)
        cls.servers = Authority(os.path.join(cls.folder, "servers"), "servers")
        cls.people = Authority(os.path.join(cls.folder, "people"), "people")
        cls.proxy = cls.servers.issue("proxy", "DNS:proxy.test", "IP:127.0.0.1")

    def start_tls(self, *rules, secrets=(), top=None, certificates=("proxy",), **terminator):
        config = proxy_config(list(rules) or [allow()], **(top or {}))
        config["listeners"][0]["filters"].insert(
            0, {"tls_terminator": {"certificates": list(certificates), **terminator}})
        config["secrets"] = [pair("proxy", self.proxy), *secrets]
        return self.start_config(config, {"origin.test": ["127.0.0.1"]})

    def start_asking(self, mode, *rules, crl=None, **terminator):
        trust = {"roots": {"file": self.people.ca}, **({"crl": {"file": crl}} if crl else {})}
        return self.start_tls(*rules, secrets=[{"name": "people", "trust": trust}],
                              client_certificates={"mode": mode, "trust": "people"}, **terminator)

    def curl(self, *words, scheme="https", status=0):
        run = subprocess.run([*CURL, "-x", "%s://%s:%d" % (scheme, *self.egret.address), "--proxy-cacert",
                              self.servers.ca, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.errors = run.stderr.decode()
        self.assertEqual(run.returncode, status, self.errors)
        return run.stdout

    def s_client(self, *words, send=b"", status=None):
        run = subprocess.run(["openssl", "s_client", "-connect", "%s:%d" % self.egret.address, *words], input=send,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS * 2)
        if status is not None:
            self.assertEqual(run.returncode, status, run.stdout.decode(errors="replace"))
        return run.stdout.decode(errors="replace")

    def tls_client(self, certificate=None, name="proxy.test", alpn=()):
        """A RawClient after its handshake."""
        client = RawClient(self.egret.address)
        self.addCleanup(client.close)
        context = ssl.create_default_context(cafile=self.servers.ca)
        if certificate:
            context.load_cert_chain(*certificate)
        if alpn:
            context.set_alpn_protocols(list(alpn))
        client.sock = context.wrap_socket(client.sock, server_hostname=name)
        client.reader.sock = client.sock
        return client

    def handshakes(self, result, side="client"):
        return self.egret.metric("egret_tls_handshakes_total", side=side, result=result)
