"""Real clients, unmodified, before a proxy that asks who they are: with the password, with a wrong one and with none, in
the environment variable that their users have, or however else they take it. Without the right one they say why and end."""
import os
import subprocess
import sys
import unittest
import urllib.parse

from auth_case import AFTER, BASIC, HORSE, USERS
from client_case import TEXT, Clients, need, proxy_env
from clients_tools_test import put_index, put_npm_package

REQUESTS = "import requests, sys\nfor u in sys.argv[1:]: sys.stdout.write(requests.get(u, timeout=60).text)"
VENDORED = "from pip._vendor import requests\n" + REQUESTS.replace("import requests, ", "import ")
URLLIB = "import sys, urllib.request as u\nfor url in sys.argv[1:]: sys.stdout.write(u.urlopen(url).read().decode())"


NODE = """
const http = require('http'), https = require('https');
const proxy = new URL(process.env.http_proxy), {hostname: host, port} = proxy;
const who = proxy.username && decodeURIComponent(proxy.username) + ':' + decodeURIComponent(proxy.password);
const known = who ? {'Proxy-Authorization': 'Basic ' + Buffer.from(who).toString('base64')} : {};
function told(response) {
  if (response.statusCode == 200) return response.pipe(process.stdout, {end: false});
  console.error(response.statusCode, response.headers['proxy-authenticate']);
  process.exitCode = 1;
  response.resume();
}
for (const url of process.argv.slice(1).map(text => new URL(text))) {
  const headers = {Host: url.host, ...known};
  if (url.protocol == 'http:') {
    http.get({host, port, path: url.href, headers, agent: false}, told);
  } else {  // what an agent does
    http.request({host, port, method: 'CONNECT', path: url.host, headers, agent: false}).on('connect', (answer, socket) => {
      if (answer.statusCode == 200) return https.get(url, {socket, agent: false}, told);
      told(answer);
      socket.destroy();
    }).end();
  }
}
"""

# Both clients of Java, each with what an application gives it to answer with; "-": nothing.
JAVA = """
import java.net.*;
import java.net.http.*;

public class Client {
  interface Ask { String get() throws Exception; }
  static void tell(String name, Ask ask) {
    try {
      System.out.println(name + " " + ask.get());
    } catch (Exception e) {
      System.out.println(name + " failed: " + e.getMessage());
    }
  }
  public static void main(String[] words) throws Exception {
    Authenticator people = new Authenticator() {
      @Override protected PasswordAuthentication getPasswordAuthentication() {
        return new PasswordAuthentication("alice", words[1].toCharArray());
      }
    };
    boolean known = !words[1].equals("-");
    HttpClient.Builder builder = HttpClient.newBuilder()
        .proxy(ProxySelector.of(new InetSocketAddress("127.0.0.1", Integer.parseInt(words[0]))));
    HttpClient client = (known ? builder.authenticator(people) : builder).build();
    if (known) Authenticator.setDefault(people);
    for (int i = 2; i < words.length; ++i) {
      String url = words[i];
      tell("HttpClient", () -> {
        HttpResponse<String> response = client.send(HttpRequest.newBuilder(URI.create(url)).build(),
            HttpResponse.BodyHandlers.ofString());
        return response.statusCode() + (response.statusCode() == 200 ? " " + response.body().length() : "");
      });
      tell("HttpURLConnection", () -> {
        HttpURLConnection connection = (HttpURLConnection) new URL(url).openConnection();
        int status = connection.getResponseCode();
        return status + (status == 200 ? " " + connection.getInputStream().readAllBytes().length : "");
      });
    }
  }
}
"""


class KnownClients(Clients):
    def start(self, *rules, **top):
        return super().start(*rules, filters=[{"proxy_auth": {"methods": [BASIC]}}, *AFTER],
                             secrets=[{"name": "people", "htpasswd": {"inline_string": USERS}}], **top)

    def env(self, password):
        who = "alice:%s@" % urllib.parse.quote(password) if password else ""
        return proxy_env(self.egret.url.replace("://", "://" + who), self.ca, GIT_CONFIG_NOSYSTEM="1",
                         GIT_TERMINAL_PROMPT="0")

    def known(self, *words):
        return self.run_client(*words, env=self.env(HORSE))

    def assert_nobody_else_passes(self, *words, says=r"407|Proxy Authentication Required"):
        for password in (None, "wrong"):
            run = subprocess.run(words, env=self.env(password), cwd=self.folder, stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=240)
            self.assertNotEqual(run.returncode, 0, words)
            self.assertNotIn(TEXT, run.stdout)
            self.assertRegex(run.stdout.decode(errors="replace"), says)

    def assert_known_and_asked(self, count=2):
        lines = self.egret.log_lines(count, identity="alice")
        self.assertEqual({line["status"] for line in lines}, {200})
        self.assertGreaterEqual(self.egret.metric("egret_failures_total", detail="auth_wrong"), 1)
        self.assertGreaterEqual(self.egret.metric("egret_failures_total", detail="auth_required"), 1)
        self.assertEqual([line for line in self.egret.all_log_lines() if line["status"] == 407 and "identity" in line], [])

    def test_curl(self):
        need("curl")
        urls = [self.http + "/hello.txt", self.https + "/hello.txt"]
        self.assertEqual(self.known("curl", "-sS", *urls), TEXT * 2)
        self.assertEqual(self.known("curl", "-sS", "--http2", "--proxy-anyauth", *urls), TEXT * 2)
        for url in urls:
            self.assert_nobody_else_passes("curl", "-sSf", "-w", "%{http_code} %{http_connect}", url)
        self.assert_known_and_asked()

    def test_wget(self):
        need("wget")
        for url in (self.http + "/hello.txt", self.https + "/hello.txt"):
            words = ("wget", "-nv", "-O", "-", "--tries=1", "--ca-certificate=" + self.ca, url)
            self.assertEqual(self.known(*words), TEXT)
            self.assert_nobody_else_passes(*words)
        self.assert_known_and_asked()

    def test_python(self):
        for program in (URLLIB, REQUESTS, VENDORED):
            with self.subTest(program.splitlines()[0]):
                if subprocess.run([sys.executable, "-c", program.splitlines()[0]], stderr=subprocess.DEVNULL).returncode:
                    self.skipTest("not installed")
                urls = [self.http + "/hello.txt", self.https + "/hello.txt"]
                self.assertEqual(self.known(sys.executable, "-c", program, *urls), TEXT * 2)
                self.assert_nobody_else_passes(sys.executable, "-c", program, urls[1])
        self.assert_known_and_asked()

    def test_pip(self):
        put_index(self.nginx)
        if subprocess.run([sys.executable, "-m", "pip", "--version"], stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL).returncode:
            self.skipTest("pip is not installed")
        words = (sys.executable, "-m", "pip", "install", "--no-cache-dir", "--no-deps", "--retries", "0",
                 "--disable-pip-version-check", "--index-url", self.https + "/simple", "egretdemo", "--target")
        self.known(*words, os.path.join(self.folder, "known"))
        self.assertTrue(os.path.exists(os.path.join(self.folder, "known", "egretdemo.py")))
        self.assert_nobody_else_passes(*words, os.path.join(self.folder, "nobody"), "-vv")  # else pip does not say why
        self.assertFalse(os.path.exists(os.path.join(self.folder, "nobody", "egretdemo.py")))
        self.egret.log_lines(identity="alice")

    def test_git(self):
        need("git")
        served = os.path.join(self.nginx.root, "repo.git")
        run = {"env": {**self.env(None), "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@origin.test",
                       "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@origin.test"}}
        self.run_client("git", "init", "-q", "-b", "main", "work", **run)
        self.run_client("git", "-C", "work", "commit", "-q", "--allow-empty", "-m", "first", **run)
        self.run_client("git", "clone", "-q", "--bare", "work", served, **run)
        self.run_client("git", "-C", served, "update-server-info", **run)
        for number, base in enumerate((self.http, self.https)):
            self.known("git", "clone", "-q", base + "/repo.git", "copy%d" % number)
            self.assert_nobody_else_passes("git", "clone", "-q", base + "/repo.git", "nobody%d" % number)
        self.assert_known_and_asked()

    def test_node(self):
        need("node")
        urls = [self.http + "/hello.txt", self.https + "/hello.txt"]
        self.assertEqual(self.known("node", "-e", NODE, "--", *urls), TEXT * 2)
        for url in urls:
            self.assert_nobody_else_passes("node", "-e", NODE, "--", url, says='407 Basic realm="egress"')
        self.assert_known_and_asked()

    def test_npm(self):
        need("npm")
        put_npm_package(self.nginx, self.https)
        words = ("npm", "install", "--registry", self.https, "--no-audit", "--no-fund", "--no-update-notifier",
                 "--fetch-retries=0", "--globalconfig=/dev/null", "egretdemo", "--prefix")
        self.known(*words, "known")
        installed = "node_modules/egretdemo/index.js"
        self.assertTrue(os.path.exists(os.path.join(self.folder, "known", installed)))
        self.assert_nobody_else_passes(*words, "nobody", "--cache", os.path.join(self.folder, "empty"))
        self.assertFalse(os.path.exists(os.path.join(self.folder, "nobody", installed)))
        self.assert_known_and_asked(1)

    def test_java(self):
        need("java")
        need("keytool")
        with open(os.path.join(self.folder, "Client.java"), "w") as f:
            f.write(JAVA)
        self.run_client("keytool", "-importcert", "-noprompt", "-alias", "ca", "-file", self.ca,
                        "-keystore", "trust.p12", "-storetype", "PKCS12", "-storepass", "changeit")
        port = str(self.egret.address[1])
        options = ["-D%s.proxy%s" % (s, what) for s in ("http", "https") for what in ("Host=127.0.0.1", "Port=" + port)]
        options += ["-Djavax.net.ssl.trustStore=trust.p12", "-Djavax.net.ssl.trustStorePassword=changeit"]
        options.append("-Djdk.http.auth.tunneling.disabledSchemes=")  # by default Java answers no CONNECT with Basic

        def run(password):
            out = self.run_client("java", "-Xmx256m", "-XX:TieredStopAtLevel=1", *options, "Client.java", port, password,
                                  self.http + "/hello.txt", self.https + "/hello.txt")
            return out.decode().splitlines()
        self.assertEqual(run(HORSE), ["HttpClient 200 %d" % len(TEXT), "HttpURLConnection 200 %d" % len(TEXT)] * 2)
        for password in ("-", "wrong"):
            for told in run(password):
                self.assertRegex(told, "407|429|authentication attempts|redirected too many times")
        self.assert_known_and_asked()


if __name__ == "__main__":
    unittest.main()
