"""The part of the Internet that clients of egret run want to reach, in a network namespace of the test: a name server,
registries of packages, a code host and a site, at addresses that a policy takes for public ones."""
import collections
import glob
import http.server
import json
import os
import pwd
import shutil
import ssl
import subprocess
import tempfile
import threading
import unittest

from certificates import Certificates
from dns_server import DnsServer
from git_backend import GitBackend
from netns import NetnsCase, public
from run_case import egret

ROOTS = "/etc/ssl/certs/ca-certificates.crt"  # where this world's are
ADDRESS, SERVICE = "93.184.215.1", "93.184.215.2"
SITE = "www.origin.test"
PROXY_VARIABLES = ("http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY npm_config_proxy "
                   "npm_config_https_proxy JAVA_TOOL_OPTIONS")

Done = collections.namedtuple("Done", "status out err report record")


def need(program):
    """Its path; what Rust's and Go's own installers put somewhere else counts as well."""
    home = pwd.getpwuid(os.getuid()).pw_dir
    folders = [os.environ["PATH"], "/usr/local/go/bin", *sorted(glob.glob(home + "/.rustup/toolchains/*/bin"))]
    path = shutil.which(program, path=":".join(folders))
    if not path:
        raise unittest.SkipTest(program + " is not installed")
    return path


class Host(GitBackend):
    """Every host of this world: the files that it has (a text: where else one is), and a repository."""

    def serve(self):
        host, path = self.headers["host"].partition(":")[0], self.path.partition("?")[0]
        self.server.asked.append((host, path))
        if host == "github.com":
            return super().serve()
        content = self.server.files.get(host, {}).get(path)
        if isinstance(content, str):
            self.send_response(302)
            self.send_header("Location", content)
            content = b""
        else:
            self.send_response(404 if content is None else 200)
        self.send_header("Content-Type", "text/html" if path.endswith("/") else "application/octet-stream")
        self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content or b"")

    do_GET = do_POST = do_HEAD = serve


class WorldCase(NetnsCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        public(ADDRESS + "/32", SERVICE + "/32")
        self.files = {SITE: {"/": b"<html><title>installed</title></html>", "/word": b"installed\n"}}
        self.names = ["github.com", "other.test", SITE]
        self.asked = []

    def open_world(self, **files):
        """From here on it is there, and has these hosts besides."""
        self.files.update(files)
        self.names = sorted({*self.names, *files})
        self.certificates = Certificates(self.folder, [*self.names, "service.test"])
        self.dns = DnsServer({**{name: [ADDRESS] for name in self.names}, "service.test": [SERVICE]}, port=53)
        self.addCleanup(self.dns.close)
        with open(os.path.join(self.folder, "resolv.conf"), "w") as f:
            f.write("nameserver 127.0.0.1\n")
        secure = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        secure.load_cert_chain(self.certificates.certificate, self.certificates.key)
        self.serve(80)
        self.serve(443, secure)

    def serve(self, port, secure=None):
        server = http.server.ThreadingHTTPServer((ADDRESS, port), Host)
        server.files, server.asked, server.root = self.files, self.asked, self.folder
        if secure:
            server.socket = secure.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)

    def run_in_world(self, options, script, **env):
        """What became of a shell script behind the fence, in a folder that is new and its home."""
        home = tempfile.mkdtemp(dir=self.folder)
        report, record = (os.path.join(self.folder, name) for name in ("report.json", "record.json"))
        outside = 'mount --bind $0/resolv.conf /etc/resolv.conf && mount --bind $0/ca.pem $1 && shift && exec "$@"'
        kept = {name: os.environ[name] for name in ("PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS") if name in os.environ}
        behind = egret("--report", report, "--record", record, *options, "--", "sh", "-ec", script)
        done = subprocess.run(
            ["unshare", "-m", "sh", "-c", outside, self.folder, ROOTS, *behind], cwd=home,
            env={**kept, "HOME": home, "LANG": "C.UTF-8", **env}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, errors="replace", timeout=110)
        told = []
        for path in (report, record):
            with open(path) as f:
                told.append(json.loads(f.read() or "null"))
        return Done(done.returncode, done.stdout, done.stderr, told[0], told[1])

    def policy(self, *rules):
        path = os.path.join(self.folder, "policy.yaml")
        with open(path, "w") as f:
            json.dump({"policies": [{"name": "ci", "rules": rules}]}, f)
        return path
