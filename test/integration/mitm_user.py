"""A user of a proxy that reads TLS: the CA that it gives out, and what egretctl env prints for each client."""
import os
import subprocess

from egret import DIRECT
from mitm_case import MitmCase
from waiting import SECONDS

KEEPS_PUBLIC_ROOTS = ("chromium", "java", "node")  # the others believe one file and nothing else


def ctl(*words):
    run = subprocess.run([os.environ["EGRETCTL"], *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if run.returncode:
        raise AssertionError(run.stderr)
    return run.stdout


class Signing:
    """As an Authority: `ca` is what the proxy signs with, root and all. permit: all that it may speak for, if any."""

    def __init__(self, folder, permit=()):
        ctl("ca", "init", os.path.join(folder, "root"))
        ctl("ca", "intermediate", os.path.join(folder, "live"), "--root", os.path.join(folder, "root"),
            *(word for what in permit for word in ("--permit", what)))
        self.ca, self.key = (os.path.join(folder, "live", name) for name in ("tls.crt", "tls.key"))
        self.root = os.path.join(folder, "root", "ca.crt")

    def path(self, _):
        return self.key


class RealClients(MitmCase):
    permit = ()

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ours = Signing(cls.folder, cls.permit)

    def start_user(self, *rules, **more):
        """The proxy, and a user who has what it gives out."""
        self.start_mitm(*rules, **more)
        self.home = self.egret.path("home")
        os.mkdir(self.home)
        for name in ("ca.pem", "bundle.pem"):
            with DIRECT.open("%s/.well-known/egret/%s" % (self.egret.url, name), timeout=SECONDS) as response:
                self.write(name, response.read().decode())
        with open(self.authority.ca) as other, open(os.path.join(self.home, "ca.pem")) as ours:
            self.write("ca.pem", other.read() + ours.read())  # more than one, as while a CA takes another's place

    def run_as(self, client, *words, status=0, **env):
        """The standard output of a program that ends with this status (None: any but success), in a shell that was told
        what egretctl env says for this client."""
        ca = os.path.join(self.home, "ca.pem" if client in KEEPS_PUBLIC_ROOTS else "bundle.pem")
        says = ctl("env", "--for", client, "--proxy", self.egret.url, "--ca", ca)
        kept = {name: os.environ[name] for name in ("PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS") if name in os.environ}
        run = subprocess.run(["sh", "-ec", 'eval "$1"; shift; exec "$@"', "sh", says, *words],
                             env={**kept, "HOME": self.home, "LANG": "C.UTF-8", **env}, cwd=self.home,
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             timeout=SECONDS * 6)
        self.errors = run.stderr.decode(errors="replace")
        told = "%s\n%s%s" % (" ".join(words), self.errors[-4000:], run.stdout[-2000:].decode(errors="replace"))
        if status is None:
            self.assertNotEqual(run.returncode, 0, told)
        else:
            self.assertEqual(run.returncode, status, told)
        return run.stdout

    def write(self, name, text):
        with open(os.path.join(self.home, name), "w") as f:
            f.write(text)

    def assert_read(self, port, count=1, **fields):
        """That so many requests were decided on one by one, within tunnels that were read."""
        lines = self.egret.log_lines(count, kind="request", target="origin.test:%d" % port, **fields)
        self.assertEqual({(line["decision"], line["rule"]) for line in lines}, {("allow", "inspected")}, lines)
        return lines
