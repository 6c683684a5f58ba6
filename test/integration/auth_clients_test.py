"""Real clients, unmodified, before a proxy that asks who they are: with a password in the environment variable that their
users have, and without one."""
import os
import subprocess
import sys
import unittest
import urllib.parse

from auth_case import AFTER, BASIC, HORSE, USERS
from client_case import TEXT, Clients, need, proxy_env
from clients_tools_test import put_index

REQUESTS = "import requests, sys\nfor u in sys.argv[1:]: sys.stdout.write(requests.get(u, timeout=60).text)"
VENDORED = "from pip._vendor import requests\n" + REQUESTS.replace("import requests, ", "import ")
URLLIB = "import sys, urllib.request as u\nfor url in sys.argv[1:]: sys.stdout.write(u.urlopen(url).read().decode())"


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

    def assert_nobody_else_passes(self, *words):
        for password in (None, "wrong"):
            run = subprocess.run(words, env=self.env(password), cwd=self.folder, stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=240)
            self.assertNotEqual(run.returncode, 0, words)
            self.assertNotIn(TEXT, run.stdout)

    def assert_known_and_asked(self):
        lines = self.egret.log_lines(2, identity="alice")
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
            self.assert_nobody_else_passes("curl", "-sSf", url)
        self.assert_known_and_asked()

    def test_wget(self):
        need("wget")
        for url in (self.http + "/hello.txt", self.https + "/hello.txt"):
            words = ("wget", "-q", "-O", "-", "--tries=1", "--ca-certificate=" + self.ca, url)
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
        words = (sys.executable, "-m", "pip", "install", "-q", "--no-cache-dir", "--no-deps", "--retries", "0",
                 "--disable-pip-version-check", "--index-url", self.https + "/simple", "egretdemo", "--target")
        self.known(*words, os.path.join(self.folder, "known"))
        self.assertTrue(os.path.exists(os.path.join(self.folder, "known", "egretdemo.py")))
        self.assert_nobody_else_passes(*words, os.path.join(self.folder, "nobody"))
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


if __name__ == "__main__":
    unittest.main()
