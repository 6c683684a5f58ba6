"""Real clients whose TLS is read: each has the CA that the proxy gives out and what egretctl env prints for it, nothing
else. The proxy signs with an intermediate of egretctl's, whose root is what clients trust."""
import http.server
import io
import json
import os
import subprocess
import sys
import threading
import unittest
import zipfile
from concurrent import futures

try:
    import grpc
except ImportError:
    grpc = None

import clients_tools_test
import grpc_test
from client_case import TEXT, need
from harness import ANY_PORT
from mitm_case import INSPECTED
from mitm_user import RealClients
from nginx import Nginx
from tls_origin import server_context
from waiting import SECONDS


class BeforeNginx(RealClients):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.nginx = Nginx()
        cls.addClassCleanup(cls.nginx.close)
        cls.nginx.put("hello.txt", TEXT)
        cls.nginx.put("secret/plans.txt", b"plans\n")
        cls.port = cls.nginx.tls_port
        cls.url = "https://origin.test:%d" % cls.port

    def setUp(self):
        self.start_user(origins_ca=self.nginx.certificates.ca)


class Tools(BeforeNginx):
    def test_curl(self):
        need("curl")
        for version, spoken in (("--http1.1", b"1.1"), ("--http2", b"2")):
            out = self.run_as("curl", "curl", "-sS", version, "-w", "%{http_version}", self.url + "/hello.txt")
            self.assertEqual(out, TEXT + spoken)
        self.assert_read(self.port, 2)
        out = self.run_as("curl", "curl", "-sS", "-w", "%{http_code}", self.url + "/secret/plans.txt").decode()
        self.assertIn("not for you", out)
        self.assertTrue(out.endswith("403"), out)
        self.assertNotIn("plans\n", out)

    def test_wget(self):
        need("wget")  # that knows no variable for its roots
        trust = "--ca-certificate=" + os.path.join(self.home, "bundle.pem")
        self.assertEqual(self.run_as("curl", "wget", "-q", "-O", "-", trust, self.url + "/hello.txt"), TEXT)
        self.assert_read(self.port)
        self.run_as("curl", "wget", "-q", "-O", "-", trust, self.url + "/secret/plans.txt", status=8)

    def test_python(self):
        programs = {"urllib": "import sys, urllib.request as u; print(u.urlopen(sys.argv[1]).read().decode(), end='')",
                    "requests": "import requests, sys; print(requests.get(sys.argv[1]).text, end='')",
                    "pip's requests": "from pip._vendor import requests; import sys; "
                                      "print(requests.get(sys.argv[1]).text, end='')"}
        for name, program in programs.items():
            with self.subTest(name):
                if subprocess.run([sys.executable, "-c", program.split(";")[0]], stderr=subprocess.DEVNULL).returncode:
                    self.skipTest(name + " is not installed")
                self.assertEqual(self.run_as("python", sys.executable, "-c", program, self.url + "/hello.txt"), TEXT)
        self.run_as("python", sys.executable, "-c", programs["urllib"], self.url + "/secret/plans.txt", status=1)
        self.assertIn("HTTP Error 403", self.errors)

    def test_go_gets_a_module(self):
        need("go")  # whose own client is net/http
        folder, packed = "example.test/demo/@v/v1.0.0", io.BytesIO()
        with zipfile.ZipFile(packed, "w") as z:
            z.writestr("example.test/demo@v1.0.0/go.mod", "module example.test/demo\n")
        for end, content in ((".info", b'{"Version": "v1.0.0"}'), (".mod", b"module example.test/demo\n"),
                             (".zip", packed.getvalue())):
            self.nginx.put(folder + end, content)
        out = self.run_as("go", "go", "mod", "download", "-json", "-modcacherw", "example.test/demo@v1.0.0",
                          GOPROXY=self.url, GOSUMDB="off", GOTOOLCHAIN="local", GOTELEMETRY="off")
        self.assertIn("Sum", json.loads(out))
        self.assertEqual({line["protocol"] for line in self.assert_read(self.port, 3)}, {"HTTP/2"})


NODE = """
const http = require('http'), https = require('https'), http2 = require('http2'), tls = require('tls');
const [proxy, target] = process.argv.slice(1), {hostname: host, port} = new URL(proxy);
function connect(protocol) {  // what an agent does
  return new Promise(done => http.request({host, port, method: 'CONNECT', path: target, headers: {host: target}})
    .on('connect', (_, socket) => {
      const secure = tls.connect({socket, servername: 'origin.test', ALPNProtocols: [protocol]}, () => done(secure));
    }).end());
}
(async () => {
  const one = await connect('http/1.1');
  await new Promise(done => https.get({createConnection: () => one, path: '/hello.txt',
    headers: {host: target}}, r => r.on('data', d => process.stdout.write(d)).on('end', done)));
  one.destroy();
  const two = await connect('h2');
  const session = http2.connect('https://' + target, {createConnection: () => two});
  session.request({':path': '/hello.txt'}).on('data', d => process.stdout.write(d)).on('close', () => session.close());
})();
"""


class Node(BeforeNginx):
    def test_http1_and_http2(self):
        need("node")
        out = self.run_as("node", "node", "-e", NODE, "--", self.egret.url, "origin.test:%d" % self.port)
        self.assertEqual(out, TEXT * 2)
        self.assertEqual({line["protocol"] for line in self.assert_read(self.port, 2)}, {"HTTP/1.1", "HTTP/2"})

    def test_npm_installs_from_a_registry(self):
        need("npm")
        clients_tools_test.put_npm_package(self.nginx, self.url)
        self.run_as("node", "npm", "install", "--registry", self.url, "--no-audit", "--no-fund",
                    "--no-update-notifier", "--fetch-retries=0", "egretdemo",
                    NPM_CONFIG_GLOBALCONFIG="/dev/null")  # a cafile there would be all that npm believes
        self.assertTrue(os.path.exists(os.path.join(self.home, "node_modules/egretdemo/index.js")))
        self.assert_read(self.port, 2)


class Pip(BeforeNginx):
    def test_install_from_an_index(self):
        if subprocess.run([sys.executable, "-m", "pip", "--version"], stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL).returncode:
            self.skipTest("pip is not installed")
        clients_tools_test.put_index(self.nginx)
        self.run_as("pip", sys.executable, "-m", "pip", "install", "-q", "--no-cache-dir", "--no-deps",
                    "--disable-pip-version-check", "--retries", "0", "--target", "to", "--index-url",
                    self.url + "/simple", "egretdemo")
        self.assertTrue(os.path.exists(os.path.join(self.home, "to/egretdemo.py")))
        self.assert_read(self.port, 2)


JAVA = """
import java.net.*;
import java.net.http.*;

public class Client {
  public static void main(String[] words) throws Exception {
    HttpClient client = HttpClient.newBuilder().proxy(ProxySelector.getDefault()).build();
    HttpResponse<String> response = client.send(HttpRequest.newBuilder(URI.create(words[0])).build(),
        HttpResponse.BodyHandlers.ofString());
    System.out.println("HttpClient " + response.statusCode() + " " + response.version());
    HttpURLConnection connection = (HttpURLConnection) new URL(words[0]).openConnection();
    System.out.println("HttpURLConnection " + connection.getResponseCode());
    System.out.println("refused " + ((HttpURLConnection) new URL(words[1]).openConnection()).getResponseCode());
  }
}
"""


class Java(BeforeNginx):
    def test_both_of_its_clients(self):
        java = os.path.realpath(need("java"))
        need("keytool")
        self.write("Client.java", JAVA)
        out = self.run_as("java", "java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "Client.java", self.url + "/hello.txt",
                          self.url + "/secret/plans.txt", JAVA_HOME=os.path.dirname(os.path.dirname(java)))
        self.assertEqual(out.decode().splitlines(), ["HttpClient 200 HTTP_2", "HttpURLConnection 200", "refused 403"])
        self.assert_read(self.port, 2, status=200)


class Git(RealClients):
    def setUp(self):
        need("git")
        self.start_user()
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), clients_tools_test.GitBackend)
        server.root = os.path.join(self.home, "served")
        server.socket = server_context(self.pair).wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.port = server.server_address[1]

    def git(self, *words):
        names = {"GIT_%s_%s" % (who, what): value for who in ("AUTHOR", "COMMITTER")
                 for what, value in (("NAME", "a"), ("EMAIL", "a@origin.test"))}
        return self.run_as("git", "git", *words, GIT_CONFIG_NOSYSTEM="1", GIT_TERMINAL_PROMPT="0", **names).strip()

    def commit(self, folder, size):
        with open(os.path.join(self.home, folder, "file"), "wb") as f:
            f.write(os.urandom(size))
        self.git("-C", folder, "add", "file")
        self.git("-C", folder, "commit", "-q", "-m", "more")

    def test_clone_and_push(self):
        self.git("init", "-q", "-b", "main", "work")
        self.commit("work", 400000)
        self.git("clone", "-q", "--bare", "work", "served/repo.git")
        self.git("-C", "served/repo.git", "config", "http.receivepack", "true")
        self.git("clone", "-q", "https://origin.test:%d/repo.git" % self.port, "copy")
        self.assertEqual(self.git("-C", "copy", "rev-parse", "HEAD"), self.git("-C", "work", "rev-parse", "HEAD"))
        self.commit("copy", 3000000)  # more than git's post buffer: the push is chunked
        self.git("-C", "copy", "push", "-q", "origin", "main")
        self.assertEqual(self.git("-C", "served/repo.git", "rev-parse", "main"),
                         self.git("-C", "copy", "rev-parse", "HEAD"))
        self.assert_read(self.port, 4)


GRPC = """
import grpc, sys
channel = grpc.secure_channel(sys.argv[1], grpc.ssl_channel_credentials())
answer, call = channel.unary_unary('/test.Service/Unary').with_call(b'hello', timeout=30)
print(answer.decode(), dict(call.trailing_metadata())['x-asked'])
print(b''.join(channel.unary_stream('/test.Service/Count')(b'10', timeout=30)).decode())
print(b''.join(channel.stream_stream('/test.Service/Echo')(iter([b'a', b'b']), timeout=30)).decode())
try:
    channel.unary_unary('/test.Service/Closed')(b'hello', timeout=30)
except grpc.RpcError as e:
    print(e.code().name)
"""


@unittest.skipIf(grpc is None, "python3-grpcio is not installed")
class Grpc(RealClients):
    def test_calls_are_judged_one_by_one(self):
        for how in ("EAGER", "LAZY"):
            with self.subTest(how):
                self.call_all(origin=how)

    def call_all(self, **terminator):
        server = grpc.server(futures.ThreadPoolExecutor(4))
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Service", {
            "Unary": grpc.unary_unary_rpc_method_handler(grpc_test.unary),
            "Closed": grpc.unary_unary_rpc_method_handler(grpc_test.unary),
            "Count": grpc.unary_stream_rpc_method_handler(grpc_test.count),
            "Echo": grpc.stream_stream_rpc_method_handler(grpc_test.echo)}),))
        certificate, key = (open(path, "rb").read() for path in self.pair)
        port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([(key, certificate)]))
        server.start()
        self.addCleanup(lambda: server.stop(None).wait(SECONDS))
        closed = {"name": "closed", "action": "DENY", "to": {"domains": [".test"], "port_ranges": ANY_PORT},
                  "http": {"paths": ["/test.Service/Closed"]}}
        self.start_user(closed, INSPECTED, **terminator)
        out = self.run_as("grpc", sys.executable, "-c", GRPC, "origin.test:%d" % port).decode()
        self.assertEqual(out.splitlines(), ["olleh hello", "0123456789", "> a> b", "PERMISSION_DENIED"])
        self.assert_read(port, 3, status=200)
        self.assertEqual(self.egret.one_line(kind="request", decision="deny")["rule"], "closed")


if __name__ == "__main__":
    unittest.main()
