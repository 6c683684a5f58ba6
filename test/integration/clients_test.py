"""Real clients, unmodified, with the settings that their users have: environment variables or flags, nothing else.

Origins are an nginx (HTTP, and HTTPS with a certificate of the test); every name is origin.test or below .test, which
the proxy finds in its hosts file and nobody else anywhere."""
import hashlib
import os
import subprocess
import sys

from client_case import TEXT, Clients, need


class Curl(Clients):
    def setUp(self):
        need("curl")
        super().setUp()

    def curl(self, *words, **more):
        return self.run_client("curl", "-sS", "--max-time", "60", *words, **more)

    def test_http(self):
        self.assertEqual(self.curl(self.http + "/hello.txt"), TEXT)
        line = self.assert_logged(self.nginx.port, kind="request")[0]
        self.assertTrue(line["user_agent"].startswith("curl/"))

    def test_https_through_connect(self):
        self.assertEqual(self.curl(self.https + "/hello.txt"), TEXT)
        line = self.assert_logged(self.nginx.tls_port, kind="tunnel")[0]
        self.assertEqual((line["carries"], line["sni"], line["status"]), ("tls", "origin.test", 200))

    def test_h2_inside_the_tunnel(self):
        self.assertEqual(self.curl("--http2", "-w", "%{http_version}", self.https + "/hello.txt"), TEXT + b"2")

    def test_http_through_a_tunnel(self):
        self.assertEqual(self.curl("--proxytunnel", self.http + "/hello.txt"), TEXT)
        self.assert_logged(self.nginx.port, kind="request")

    def test_1_0(self):
        self.assertEqual(self.curl("-0", self.http + "/hello.txt"), TEXT)
        self.assertEqual(self.curl("--proxy1.0", self.egret.url, "-p", self.https + "/hello.txt"), TEXT)

    def test_large_downloads_and_uploads_are_whole(self):
        digest = hashlib.sha256(self.big).digest()
        for base in (self.http, self.https):
            self.assertEqual(hashlib.sha256(self.curl(base + "/big.bin")).digest(), digest)
            for extra in ((), ("-H", "Transfer-Encoding: chunked"), ("-H", "Expect:")):
                name = "/put/%d%d" % (len(extra), base == self.https)
                self.curl("-f", "-T", os.path.join(self.nginx.root, "big.bin"), *extra, base + name)
                with open(self.nginx.folder + name, "rb") as f:
                    self.assertEqual(hashlib.sha256(f.read()).digest(), digest)

    def test_many_requests_over_one_connection(self):
        urls = [self.http + "/hello.txt"] * 30
        self.assertEqual(self.curl(*urls), TEXT * 30)
        lines = self.assert_logged(self.nginx.port, count=30, kind="request")
        self.assertEqual(len({line["source"] for line in lines}), 1)

    def test_ranges_and_conditions(self):
        self.assertEqual(self.curl("-r", "6-9", self.http + "/hello.txt"), b"from")
        same = os.path.join(self.nginx.root, "hello.txt")
        self.assertEqual(self.curl("-w", "%{http_code}", "-z", same, self.http + "/hello.txt"), b"304")
        self.assertEqual(self.curl("-I", "-o", "/dev/null", "-w", "%{http_code}", self.http + "/hello.txt"), b"200")

    def test_a_denial_can_be_read(self):
        out = self.curl("-w", "%{http_code}", self.http.replace("origin", "denied") + "/")
        self.assertTrue(out.endswith(b"403"))
        self.assertIn(b"closed", out)
        self.curl(self.https.replace("origin", "denied") + "/", status=56)
        self.assertIn("403", self.errors)

    def test_a_wrong_sni_is_an_alert(self):
        self.curl("--connect-to", "second.test:443:origin.test:%d" % self.nginx.tls_port, "https://second.test/",
                  status=35)
        self.assertEqual(self.egret.log_lines(kind="tunnel")[0]["detail"], "sni_mismatch")

    def test_without_the_proxy_the_name_does_not_exist(self):
        self.curl("--noproxy", "*", self.http, status=6)


class Wget(Clients):
    def test_http_and_https(self):
        need("wget")
        for base in (self.http, self.https):
            out = self.run_client("wget", "-q", "-O", "-", "--ca-certificate=" + self.ca, base + "/hello.txt")
            self.assertEqual(out, TEXT)
        self.assert_logged(self.nginx.tls_port, kind="tunnel")

    def test_a_denial_is_an_error_of_the_server(self):
        need("wget")
        self.run_client("wget", "-q", "-O", "-", self.http.replace("origin", "denied") + "/", status=8)


PYTHON = """
import sys, urllib.request
for url in sys.argv[1:]:
    with urllib.request.urlopen(url, timeout=60) as response:
        sys.stdout.buffer.write(response.read())
"""


class Python(Clients):
    def test_T09_urllib_with_its_connect_of_1_0_without_host(self):
        out = self.run_client(sys.executable, "-c", PYTHON, self.http + "/hello.txt", self.https + "/hello.txt")
        self.assertEqual(out, TEXT * 2)
        line = self.assert_logged(self.nginx.tls_port, kind="tunnel")[0]
        self.assertEqual(line["protocol"], "HTTP/1.0")

    def test_a_denial_is_told(self):
        self.run_client(sys.executable, "-c", PYTHON, self.https.replace("origin", "denied"), status=1)
        self.assertIn("403", self.errors)

    def test_requests(self):
        program = "import requests, sys\nfor u in sys.argv[1:]: sys.stdout.write(requests.get(u, timeout=60).text)"
        vendored = "from pip._vendor import requests\n" + program.replace("import requests, ", "import ")
        for source in (program, vendored):
            probe = [sys.executable, "-c", source.splitlines()[0]]
            if subprocess.run(probe, stderr=subprocess.DEVNULL).returncode == 0:
                break
        else:
            self.skipTest("requests is not installed")
        out = self.run_client(sys.executable, "-c", source, self.http + "/hello.txt", self.https + "/hello.txt")
        self.assertEqual(out, TEXT * 2)


NODE = """
const http = require('http'), tls = require('tls');
const [proxy, httpPort, tlsPort] = process.argv.slice(1), [host, port] = proxy.split(':');
const path = `http://origin.test:${httpPort}/hello.txt`;
http.get({host, port, path, headers: {host: `origin.test:${httpPort}`}}, r => {
  r.pipe(process.stdout, {end: false});
  r.on('end', () => {
    // Host would else be the proxy's own, which a CONNECT for another authority may not say.
    const target = `origin.test:${tlsPort}`;
    const connect = http.request({host, port, method: 'CONNECT', path: target, headers: {host: target}});
    connect.on('connect', (res, socket) => {
      const secure = tls.connect({socket, servername: 'origin.test'}, () =>
        secure.write('GET /hello.txt HTTP/1.1\\r\\nHost: origin.test\\r\\nConnection: close\\r\\n\\r\\n'));
      let text = '';
      secure.on('data', d => text += d).on('end', () => process.stdout.write(text.split('\\r\\n\\r\\n')[1]));
    }).end();
  });
});
"""


class Node(Clients):
    def test_http_and_connect(self):
        need("node")
        out = self.run_client("node", "-e", NODE, "--", "%s:%d" % self.egret.address, str(self.nginx.port),
                              str(self.nginx.tls_port))
        self.assertEqual(out, TEXT * 2)
