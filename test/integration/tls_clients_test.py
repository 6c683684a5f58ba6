"""Clients that speak HTTP/2 to an https:// proxy because ALPN says so: Chromium, libcurl, nghttp and h2load.

Chromium and a libcurl of 8.1 or later (Debian 12's cannot) are used where they are; tools/install interop installs the
former, PyPI's pycurl brings the latter."""
import hashlib
import http.server
import io
import os
import re
import shutil
import ssl
import subprocess
import threading
import unittest

try:
    import pycurl
except ImportError:
    pycurl = None

from client_case import TEXT, need
from harness import SANITIZED
from nginx import Nginx
from tls_case import TlsProxy
from waiting import SECONDS

BROWSERS = ("chromium-headless-shell", "chromium")
PICTURES = 20
PAGE = ("<html><head><title>none</title></head><body>" +
        "".join("<script src='/add.js?%d'></script>" % n for n in range(PICTURES)) +
        "</body></html>").encode()
SCRIPT = b"document.title = String((Number(document.title) || 0) + 1);"
HTTPS2 = 3  # CURLPROXY_HTTPS2


class Site(http.server.BaseHTTPRequestHandler):
    """A page, and scripts that count in its title."""
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        page = self.path == "/page"
        body = PAGE if page else SCRIPT
        self.send_response(200)
        self.send_header("Content-Type", "text/html" if page else "text/javascript")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Over(TlsProxy):
    def assert_over_http2(self, count, **fields):
        lines = self.egret.log_lines(count, **fields)
        self.assertEqual({(line["protocol"], line["tls_alpn"]) for line in lines}, {("HTTP/2", "h2")}, lines)
        return lines


@unittest.skipIf(SANITIZED, "what a browser does is tested without sanitizers")
class Chromium(Over):
    @classmethod
    def setUpClass(cls):
        cls.browser = next(filter(None, map(shutil.which, BROWSERS)), None)
        if cls.browser is None:
            raise unittest.SkipTest("chromium is not installed (tools/install interop)")
        super().setUpClass()
        cls.site = cls.serve()
        certificate = cls.servers.issue("origin", "DNS:origin.test")
        cls.secure_site = cls.serve(certificate)
        cls.trusted = ",".join(cls.key_hash(path) for path in (cls.proxy[0], certificate[0]))

    @classmethod
    def serve(cls, certificate=None):
        """The port of a Site."""
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        cls.addClassCleanup(server.server_close)
        cls.addClassCleanup(server.shutdown)
        return server.server_address[1]

    @staticmethod
    def key_hash(path):
        """Of a certificate's public key, as --ignore-certificate-errors-spki-list wants it."""
        shell = ("openssl x509 -in '%s' -pubkey -noout | openssl pkey -pubin -outform der | "
                 "openssl dgst -sha256 -binary | base64" % path)
        return subprocess.check_output(["sh", "-c", shell], text=True).strip()

    def title(self, url):
        """Of the page once it is loaded. The browser trusts the two certificates of this test."""
        home = self.egret.path("home")
        os.mkdir(home)
        run = subprocess.run(
            [self.browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             "--no-first-run", "--disable-background-networking", "--disable-component-update",
             "--user-data-dir=" + os.path.join(home, "profile"),
             "--ignore-certificate-errors-spki-list=" + self.trusted,
             "--proxy-server=https://127.0.0.1:%d" % self.egret.address[1], "--dump-dom", url],
            env={"PATH": os.environ["PATH"], "HOME": home, "LANG": "C.UTF-8"}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=SECONDS * 6)
        page = run.stdout.decode(errors="replace")
        found = re.search("<title>(.*)</title>", page)
        self.assertTrue(found, page[-2000:] + run.stderr.decode(errors="replace")[-4000:])
        return found.group(1)

    def test_a_page_with_what_belongs_to_it_comes_over_one_connection_of_http2(self):
        self.start_tls()
        self.assertEqual(self.title("http://origin.test:%d/page" % self.site), str(PICTURES))
        lines = self.assert_over_http2(PICTURES + 1, kind="request", target="origin.test:%d" % self.site, status=200)
        self.assertEqual(len({line["source"] for line in lines}), 1)

    def test_a_page_over_https_comes_through_a_stream_of_that_connection(self):
        self.start_tls()
        self.assertEqual(self.title("https://origin.test:%d/page" % self.secure_site), str(PICTURES))
        lines = self.assert_over_http2(1, kind="tunnel", target="origin.test:%d" % self.secure_site, status=200)
        self.assertEqual({(line["carries"], line["sni"]) for line in lines}, {("tls", "origin.test")})
        self.assertEqual(len({line["source"] for line in lines}), 1)


class Files(Over):
    """Before an nginx with a small and a large file."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.nginx = Nginx()
        cls.addClassCleanup(cls.nginx.close)
        cls.nginx.put("hello.txt", TEXT)
        cls.big = os.urandom(3000000)
        cls.nginx.put("big.bin", cls.big)

    def setUp(self):
        self.start_tls()
        self.target = "origin.test:%d" % self.nginx.port
        self.at_proxy = "https://127.0.0.1:%d" % self.egret.address[1]
        # The request's own scheme, not that of the way to the proxy.
        self.target_words = ["-H", ":authority: " + self.target, "-H", ":scheme: http"]

    def run_client(self, *words):
        run = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             timeout=SECONDS * 6)
        self.assertEqual(run.returncode, 0, run.stderr[-4000:])
        return run.stdout


class Nghttp(Files):
    def setUp(self):
        need("nghttp")
        super().setUp()

    def test_a_large_response_and_many_small_ones(self):
        out = self.run_client("nghttp", "--timeout=60", *self.target_words, self.at_proxy + "/big.bin")
        self.assertEqual(hashlib.sha256(out).digest(), hashlib.sha256(self.big).digest())
        out = self.run_client("nghttp", "--timeout=60", "-m", "20", "--padding=100", *self.target_words,
                              self.at_proxy + "/hello.txt")
        self.assertEqual(sorted(out), sorted(TEXT * 20))
        self.assert_over_http2(21, kind="request", target=self.target)

    def test_an_upload(self):
        self.run_client("nghttp", "-d", os.path.join(self.nginx.root, "big.bin"), "-H", ":method: PUT",
                        *self.target_words, self.at_proxy + "/put/over-tls")
        with open(self.nginx.folder + "/put/over-tls", "rb") as f:
            self.assertEqual(hashlib.sha256(f.read()).digest(), hashlib.sha256(self.big).digest())


class H2load(Files):
    def test_two_thousand_requests_side_by_side(self):
        need("h2load")
        out = self.run_client("h2load", "-n2000", "-c8", "-m32", *self.target_words,
                              self.at_proxy + "/hello.txt").decode()
        self.assertRegex(out, "2000 succeeded, 0 failed, 0 errored", out)
        self.assert_over_http2(2000, kind="request", target=self.target)


@unittest.skipIf(pycurl is None, "pycurl is not installed")
class Libcurl(Files):
    """--proxy-http2."""

    def get(self, urls, **options):
        """The responses' content, through tunnels that are gone then."""
        if pycurl.version_info()[2] < 0x080100:
            self.skipTest("HTTP/2 to proxies takes libcurl 8.1; this is %s" % pycurl.version_info()[1])
        curl = pycurl.Curl()
        curl.setopt(pycurl.PROXY, "https://127.0.0.1:%d" % self.egret.address[1])
        curl.setopt(pycurl.PROXYTYPE, HTTPS2)
        curl.setopt(pycurl.PROXY_CAINFO, self.servers.ca)
        curl.setopt(pycurl.CAINFO, self.nginx.certificates.ca)
        curl.setopt(pycurl.TIMEOUT, int(SECONDS))
        for name, value in options.items():
            curl.setopt(getattr(pycurl, name), value)
        bodies = []
        for url in urls:
            body = io.BytesIO()
            curl.setopt(pycurl.URL, url)
            curl.setopt(pycurl.WRITEFUNCTION, body.write)
            curl.perform()
            bodies.append(body.getvalue())
        curl.close()
        return bodies

    def test_tunnels_are_streams(self):
        urls = ["http://%s/hello.txt" % self.target, "https://origin.test:%d/big.bin" % self.nginx.tls_port]
        self.assertEqual(self.get(urls, HTTPPROXYTUNNEL=1), [TEXT, self.big])
        self.assert_over_http2(1, kind="tunnel", carries="tls")
        self.assert_over_http2(1, kind="tunnel", carries="http")

    def test_a_client_certificate(self):
        self.egret.stop()
        self.start_asking("REQUIRE")
        certificate, key = self.people.issue("ci", "URI:spiffe://test/ns/ci")
        body = self.get(["https://origin.test:%d/hello.txt" % self.nginx.tls_port], PROXY_SSLCERT=certificate,
                        PROXY_SSLKEY=key)
        self.assertEqual(body, [TEXT])
        line = self.assert_over_http2(1, kind="tunnel")[0]
        self.assertEqual(line["identity"], "spiffe://test/ns/ci")


if __name__ == "__main__":
    unittest.main()
