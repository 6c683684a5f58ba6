"""Real programs that use the proxy for their own work: git, pip, and the HTTP clients of Go and Java."""
import base64
import hashlib
import http.server
import io
import json
import os
import subprocess
import sys
import tarfile
import threading
import zipfile

from client_case import TEXT, Clients, need, proxy_env
from git_backend import GitBackend


class Git(Clients):
    def setUp(self):
        need("git")
        super().setUp()
        self.env = proxy_env(self.egret.url, self.ca, GIT_CONFIG_NOSYSTEM="1", GIT_TERMINAL_PROMPT="0",
                             GIT_AUTHOR_NAME="a", GIT_AUTHOR_EMAIL="a@origin.test", GIT_COMMITTER_NAME="a",
                             GIT_COMMITTER_EMAIL="a@origin.test")
        self.git("init", "-q", "-b", "main", "work")
        with open(os.path.join(self.folder, "work", "file"), "wb") as f:
            f.write(os.urandom(400000))
        self.git("-C", "work", "add", "file")
        self.git("-C", "work", "commit", "-q", "-m", "first")

    def git(self, *words):
        return self.run_client("git", *words, env=self.env).decode().strip()

    def assert_same_commit(self, folder):
        self.assertEqual(self.git("-C", folder, "rev-parse", "HEAD"), self.git("-C", "work", "rev-parse", "HEAD"))

    def test_clone_and_push_over_the_smart_protocol(self):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), GitBackend)
        server.root = os.path.join(self.folder, "served")
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_address[1]
        self.git("clone", "-q", "--bare", "work", "served/repo.git")
        self.git("-C", "served/repo.git", "config", "http.receivepack", "true")
        url = "http://origin.test:%d/repo.git" % port
        self.git("clone", "-q", url, "copy")
        self.assert_same_commit("copy")
        with open(os.path.join(self.folder, "copy", "more"), "wb") as f:
            f.write(os.urandom(3000000))  # more than git's post buffer: the push is chunked
        self.git("-C", "copy", "add", "more")
        self.git("-C", "copy", "commit", "-q", "-m", "second")
        self.git("-C", "copy", "push", "-q", "origin", "main")
        self.assertEqual(self.git("-C", "served/repo.git", "rev-parse", "main"),
                         self.git("-C", "copy", "rev-parse", "HEAD"))
        self.assert_logged(port, count=4, kind="request")

    def test_clone_over_https(self):
        self.git("clone", "-q", "--bare", "work", os.path.join(self.nginx.root, "repo.git"))
        self.git("-C", os.path.join(self.nginx.root, "repo.git"), "update-server-info")
        self.git("clone", "-q", self.https + "/repo.git", "copy")
        self.assert_same_commit("copy")
        self.assert_logged(self.nginx.tls_port, kind="tunnel")


def put_index(nginx):
    """A package for pip to install: egretdemo."""
    wheel = "egretdemo-1.0-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(nginx.root, wheel), "w") as z:
        z.writestr("egretdemo.py", "word = 'installed'\n")
        z.writestr("egretdemo-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: egretdemo\nVersion: 1.0\n")
        z.writestr("egretdemo-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        z.writestr("egretdemo-1.0.dist-info/RECORD", "")
    nginx.put("simple/egretdemo/index.html", b"<!DOCTYPE html><a href=\"../../%s\">%s</a>"
              % (wheel.encode(), wheel.encode()))


def put_npm_package(nginx, registry):
    """A package for npm to install: egretdemo. `registry`: the URL at which npm finds what nginx serves."""
    package = json.dumps({"name": "egretdemo", "version": "1.0.0", "main": "index.js"}).encode()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, text in (("package.json", package), ("index.js", b"module.exports = 'installed'\n")):
            entry = tarfile.TarInfo("package/" + name)
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text))
    integrity = "sha512-" + base64.b64encode(hashlib.sha512(packed.getvalue()).digest()).decode()
    nginx.put("egretdemo-1.0.0.tgz", packed.getvalue())
    nginx.put("egretdemo", json.dumps(
        {"name": "egretdemo", "dist-tags": {"latest": "1.0.0"},
         "versions": {"1.0.0": {"name": "egretdemo", "version": "1.0.0",
                                "dist": {"tarball": registry + "/egretdemo-1.0.0.tgz",
                                         "integrity": integrity}}}}).encode())


class Pip(Clients):
    def test_install_from_an_index(self):
        put_index(self.nginx)
        if subprocess.run([sys.executable, "-m", "pip", "--version"], stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL).returncode:
            self.skipTest("pip is not installed")
        for base, extra in ((self.http.replace("origin", "www.origin"), ("--trusted-host", "www.origin.test")),
                            (self.https, ())):
            with self.subTest(base):
                target = os.path.join(self.folder, "to" + str(len(extra)))
                self.run_client(sys.executable, "-m", "pip", "install", "-q", "--no-cache-dir", "--no-deps",
                                "--disable-pip-version-check", "--retries", "0", "--target", target,
                                "--index-url", base + "/simple", *extra, "egretdemo")
                self.assertTrue(os.path.exists(os.path.join(target, "egretdemo.py")))
        self.assert_logged(self.nginx.port, name="www.origin.test", count=2, kind="request")
        self.assert_logged(self.nginx.tls_port, kind="tunnel")


GO = """
package main

import ("fmt"; "io"; "net/http"; "os"; "strings")

func main() {
  for _, url := range os.Args[1:] {
    for _, method := range []string{"GET", "POST"} {
      request, _ := http.NewRequest(method, url, nil)
      if method == "POST" {
        request, _ = http.NewRequest(method, url, io.MultiReader(strings.NewReader("a"), strings.NewReader("b")))
      }
      response, err := http.DefaultClient.Do(request)
      if err != nil { fmt.Println(err); os.Exit(1) }
      body, _ := io.ReadAll(response.Body)
      fmt.Print(method, " ", response.StatusCode, " ", response.Proto, " ", len(body), "\\n")
    }
  }
}
"""


class Go(Clients):
    def test_net_http(self):
        need("go")
        with open(os.path.join(self.folder, "main.go"), "w") as f:
            f.write(GO)
        env = proxy_env(self.egret.url, self.ca, GOFLAGS="-mod=mod", GOPROXY="off", GO111MODULE="off", CGO_ENABLED="0",
                        GOTOOLCHAIN="local", GOCACHE=os.path.join(os.environ["TEST_TMPDIR"], "go"), GOTELEMETRY="off",
                        GOPATH=self.folder)
        out = self.run_client("go", "run", "main.go", self.http + "/hello.txt", self.https + "/hello.txt", env=env)
        self.assertEqual(out.decode().split("\n")[:4],
                         ["GET 200 HTTP/1.1 %d" % len(TEXT), "POST 405 HTTP/1.1 157", "GET 200 HTTP/2.0 %d" % len(TEXT),
                          "POST 405 HTTP/2.0 157"])


JAVA = """
import java.io.*;
import java.net.*;
import java.net.http.*;

public class Client {
  public static void main(String[] words) throws Exception {
    int proxyPort = Integer.parseInt(words[0]);
    for (int i = 1; i < words.length; ++i) {
      HttpClient client = HttpClient.newBuilder()
          .proxy(ProxySelector.of(new InetSocketAddress("127.0.0.1", proxyPort))).build();
      HttpRequest request = HttpRequest.newBuilder(URI.create(words[i])).build();
      HttpResponse<String> response = client.send(request, HttpResponse.BodyHandlers.ofString());
      System.out.println("HttpClient " + response.statusCode() + " " + response.version() + " "
          + response.body().length());
      // Not over HTTP/2: there nginx 1.22 and Java 17 do not agree on 100 (Continue).
      HttpRequest put = HttpRequest.newBuilder(URI.create(words[i]).resolve("/put/java" + i))
          .expectContinue(words[i].startsWith("http:"))
          .PUT(HttpRequest.BodyPublishers.ofString("x".repeat(100000))).build();
      System.out.println("HttpClient " + client.send(put, HttpResponse.BodyHandlers.ofString()).statusCode());
      HttpURLConnection connection = (HttpURLConnection) new URL(words[i]).openConnection();
      byte[] body = connection.getInputStream().readAllBytes();
      System.out.println("HttpURLConnection " + connection.getResponseCode() + " " + body.length);
    }
  }
}
"""


class Java(Clients):
    def test_http_client_and_url_connection(self):
        need("java")
        need("keytool")
        with open(os.path.join(self.folder, "Client.java"), "w") as f:
            f.write(JAVA)
        self.run_client("keytool", "-importcert", "-noprompt", "-alias", "ca", "-file", self.ca,
                        "-keystore", "trust.p12", "-storetype", "PKCS12", "-storepass", "changeit")
        port = str(self.egret.address[1])
        options = ["-D%s.proxyHost=127.0.0.1" % s for s in ("http", "https")]
        options += ["-D%s.proxyPort=%s" % (s, port) for s in ("http", "https")]
        options += ["-Djavax.net.ssl.trustStore=trust.p12", "-Djavax.net.ssl.trustStorePassword=changeit"]
        out = self.run_client("java", "-Xmx256m", "-XX:TieredStopAtLevel=1", *options, "Client.java", port,
                              self.http + "/hello.txt", self.https + "/hello.txt")
        self.assertEqual(out.decode().splitlines(),
                         [line for version in ("HTTP_1_1", "HTTP_2") for line in (
                             "HttpClient 200 %s %d" % (version, len(TEXT)), "HttpClient 201",
                             "HttpURLConnection 200 %d" % len(TEXT))])
