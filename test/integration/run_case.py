"""What the tests of egret run share: runs of it, and what lies outside of the fence.

A test module says `from run_case import setUpModule` besides, so that it is skipped where no fence can be built."""
import os
import ssl
import subprocess
import tempfile
import unittest

from certificates import Certificates
from harness import SANITIZED
from origins import OK, RecorderOrigin

SEEN = ("--core-dumps", "on") if SANITIZED else ()  # what looks for leaks looks into the process
DENIED, OWN_FAILURE, CANNOT_EXECUTE, NOT_FOUND = 77, 125, 126, 127
CLOSING = OK.replace(b"Content-Length", b"Connection: close\r\nContent-Length")
LOCAL = ("--private", "127.0.0.0/8", "--private", "::1")  # where localhost leads, outside

# Asks DNS for a name's IPv4 address, past whatever else the system knows.
ASK = """import socket
def ask(name):
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.settimeout(20)
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    one.sendto(b"id\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0" + labels + b"\\0\\0\\1\\0\\1", ("192.0.2.53", 53))
    return socket.inet_ntoa(one.recv(512)[-4:])
"""


def egret(*arguments):
    return [os.environ["EGRET"], "run", *SEEN, *arguments]


def run(*arguments, **how):
    how.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.run(egret(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60, **how)


def processes(word):
    """Ids of those that have `word` among their arguments."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/cmdline" % pid, "rb") as f:
                if word.encode() in f.read():
                    found.append(int(pid))
        except OSError:
            pass  # it has ended meanwhile
    return found


def parent_of(pid):
    with open("/proc/%d/stat" % pid) as f:
        return int(f.read().rpartition(")")[2].split()[1])


def setUpModule():
    probe = run("--", "true")
    if "no fence" in probe.stderr or "of its own" in probe.stderr:
        raise unittest.SkipTest(probe.stderr.strip())


class RunCase(unittest.TestCase):
    maxDiff = None

    def origin(self):
        origin = RecorderOrigin()
        self.addCleanup(origin.close)
        return origin

    def start(self, *arguments, **how):
        """A run that goes on."""
        how.setdefault("stdin", subprocess.DEVNULL)
        process = subprocess.Popen(egret(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **how)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def outside(self, *arguments, roots=None, name="origin.test"):
        """A run where, outside, that name is this machine; inside, nobody but its DNS knows. `roots`: file of those that
        the system believes."""
        hosts = tempfile.NamedTemporaryFile("w", suffix=".hosts")
        self.addCleanup(hosts.close)
        hosts.write("127.0.0.1 %s\n" % name)
        hosts.flush()
        script = 'mount --bind "$0" /etc/hosts && mount --bind "$1" /etc/ssl/certs/ca-certificates.crt && shift && exec "$@"'
        return subprocess.run(
            ["unshare", "-rm", "sh", "-c", script, hosts.name, roots or "/etc/ssl/certs/ca-certificates.crt",
             *egret(*arguments)],
            text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)

    def certificates(self):
        """(those of a CA for origin.test, a context that shows them)."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        certificates = Certificates(folder.name)
        secure = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        secure.load_cert_chain(certificates.certificate, certificates.key)
        return certificates, secure
